//! Web servers on loopback, and nginx as a load balancer over them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A server that answers every request with its page, until it is dropped.
pub(crate) struct WebServer {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl WebServer {
    /// Starts a server on a port that is free.
    pub(crate) fn start(page: &str) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").expect("a port is free"), page)
    }

    /// Starts a server at an address, which nobody else may have.
    pub(crate) fn start_at(address: SocketAddr, page: &str) -> Self {
        Self::listen(TcpListener::bind(address).expect("the port is free"), page)
    }

    fn listen(listener: TcpListener, page: &str) -> Self {
        let address = listener.local_addr().expect("it has an address");
        listener.set_nonblocking(true).expect("it can be asked");
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, page) = (Arc::clone(&stop), page.to_owned());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => answer(stream, &page),
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Self { address, stop, thread: Some(thread) }
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(ended.is_none_or(|it| it.is_ok()), "the server ends well");
    }
}

fn answer(mut stream: TcpStream, page: &str) {
    let mut request = [0; 4096];
    let read = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_read_timeout(Some(Duration::from_secs(5))))
        .and_then(|()| stream.read(&mut request));
    if read.is_ok_and(|read| read > 0) {
        let length = page.len();
        // Whoever does not wait for the answer does not want it.
        let _sent = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        )
        .is_ok();
    }
}

/// nginx, handing requests out among servers by turns.
pub(crate) struct LoadBalancer {
    pub(crate) address: SocketAddr,
    process: Child,
}

/// Returns where nginx is; `None`, told on standard error, when a test has to do without.
pub(crate) fn nginx() -> Option<PathBuf> {
    let place = std::env::var_os("RECONCILE_TEST_NGINX").map(PathBuf::from);
    if place.is_none() {
        let _told = writeln!(std::io::stderr(), "skipped: RECONCILE_TEST_NGINX is not set").is_ok();
    }
    place
}

impl LoadBalancer {
    /// Starts a load balancer whose files are in `folder`, and waits until it listens.
    #[expect(clippy::disallowed_methods, reason = "the binary waits in real time")]
    pub(crate) fn start(nginx: &Path, folder: &Path, servers: &[SocketAddr]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = free.local_addr().expect("it has an address");
        drop(free);
        // A server that does not answer is asked again with each request, and the request fails: what is tested is
        // what a check says of it, not how nginx works around it.
        let upstream: String =
            servers.iter().map(|it| format!("server {it} max_fails=0;")).collect();
        let here = folder.display();
        let configuration = format!(
            "daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/nginx.log;
             events {{ worker_connections 64; }}
             http {{
               access_log off;
               client_body_temp_path {here}/body; proxy_temp_path {here}/proxy;
               fastcgi_temp_path {here}/fastcgi; uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
               upstream servers {{ {upstream} }}
               server {{
                 listen {address};
                 location / {{ proxy_pass http://servers; proxy_next_upstream off; }}
               }}
             }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).expect("the file can be written");
        let process = Command::new(nginx)
            .args(["-p", folder.to_str().expect("UTF-8"), "-c", file.to_str().expect("UTF-8")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx can be started");
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { address, process }
    }
}

impl Drop for LoadBalancer {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        assert!(ended.is_ok(), "nginx can be ended");
    }
}
