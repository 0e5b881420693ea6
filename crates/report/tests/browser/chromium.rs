//! A headless Chromium, driven by its DevTools protocol.
//!
//! The protocol goes over a pair of pipes (`--remote-debugging-pipe`): messages of JSON, each ended by a zero byte. So there
//! is no port to find and nothing else to install, and the browser ends when the pipes do.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long an answer may take: a loaded machine starts a browser in some seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// Hands the pipes to the browser where it looks for them, as descriptors 3 and 4.
const PIPES: &str = "exec \"$@\" 3<&0 4>&1 0</dev/null 1>&2";

/// A browser with one page.
pub(crate) struct Page {
    child: Child,
    requests: ChildStdin,
    messages: Receiver<Value>,
    events: VecDeque<Value>,
    session: Option<String>,
    number: u64,
    folder: TempDir,
    /// The addresses that were asked for.
    asked: Vec<String>,
}

/// Light or dark, as the reader's system has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Page {
    /// Starts a browser; `None`, and a line that says so, where the tests were told of none.
    pub(crate) fn new() -> Option<Self> {
        let Some(program) = std::env::var_os("RECONCILE_TEST_CHROMIUM") else {
            // Not `eprintln!`, which a passing test keeps to itself.
            let said = "skipped: RECONCILE_TEST_CHROMIUM does not say where Chromium is\n";
            std::io::stderr().write_all(said.as_bytes()).unwrap();
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut profile = std::ffi::OsString::from("--user-data-dir=");
        profile.push(folder.path().join("profile"));
        let mut child = Command::new("sh")
            .args(["-c", PIPES, "sh"])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--force-color-profile=srgb", "--font-render-hinting=none"])
            .arg(profile)
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let requests = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while answers.read_until(0, &mut bytes).is_ok_and(|count| count > 0) {
                bytes.pop();
                let Ok(message) = serde_json::from_slice(&bytes) else { break };
                if sender.send(message).is_err() {
                    break;
                }
                bytes.clear();
            }
        });
        let mut page = Self {
            child,
            requests,
            messages,
            events: VecDeque::new(),
            session: None,
            number: 0,
            folder,
            asked: Vec::new(),
        };
        let target = page.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = page.call(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        );
        page.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.size(1440, 900);
        page.scheme(Scheme::Light);
        Some(page)
    }

    /// Opens a document.
    pub(crate) fn open(&mut self, html: &str) {
        let file = self.folder.path().join("plan.html");
        std::fs::write(&file, html).unwrap();
        self.visit(&file);
    }

    fn visit(&mut self, file: &Path) {
        self.events.clear();
        let url = format!("file://{}", file.display());
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer.get("errorText").is_none(), "{answer}");
        while self.event()["method"] != "Page.loadEventFired" {}
    }

    /// Makes the window this large.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Makes the reader's system light or dark.
    pub(crate) fn scheme(&mut self, scheme: Scheme) {
        self.media("", scheme);
    }

    /// Shows the page as it would be printed.
    pub(crate) fn paper(&mut self) {
        self.media("print", Scheme::Dark);
    }

    fn media(&mut self, media: &str, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }));
    }

    /// Evaluates an expression in the page.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }),
        );
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer:#}");
        answer["result"]["value"].clone()
    }

    /// Evaluates an expression that is a text.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    /// Evaluates an expression that is a number.
    pub(crate) fn number(&mut self, expression: &str) -> f64 {
        let value = self.eval(expression);
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// Evaluates an expression that is true or false.
    pub(crate) fn is(&mut self, expression: &str) -> bool {
        let value = self.eval(expression);
        value.as_bool().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// Presses a key and lets it go.
    pub(crate) fn key(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "Tab" => 9,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            "Escape" | "Tab" => "",
            key => key,
        };
        let mut event = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if !text.is_empty() {
            event["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", event);
        let up = json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", up);
    }

    /// Types a text where the focus is.
    pub(crate) fn types(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Clicks the middle of an element.
    pub(crate) fn click(&mut self, selector: &str) {
        let selector = serde_json::to_string(selector).unwrap();
        let at = self.eval(&format!(
            "(() => {{ const it = document.querySelector({selector}); \
             it.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const box = it.getBoundingClientRect(); \
             return {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }}; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": at["x"], "y": at["y"], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Takes a picture of the window, or of all of the page.
    pub(crate) fn picture(&mut self, whole: bool) -> Picture {
        let answer = self.call(
            "Page.captureScreenshot",
            json!({ "format": "png", "captureBeyondViewport": whole }),
        );
        let data = answer["data"].as_str().unwrap();
        let png = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        Picture::of(png)
    }

    /// Prints the page; returns the bytes of a PDF.
    pub(crate) fn print(&mut self) -> Vec<u8> {
        let answer = self.call("Page.printToPDF", json!({ "printBackground": true }));
        base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
    }

    /// Returns the addresses that were asked for so far.
    pub(crate) fn asked(&mut self) -> &[String] {
        // Whatever is under way has been told once this is answered.
        self.eval("new Promise((done) => setTimeout(done, 200))");
        &self.asked
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.requests.write_all(&bytes).unwrap();
        self.requests.flush().unwrap();
        loop {
            let message = self.receive(method);
            if message["id"] == self.number {
                assert!(message.get("error").is_none(), "{method}: {message:#}");
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    fn event(&mut self) -> Value {
        match self.events.pop_front() {
            Some(event) => event,
            None => self.receive("an event"),
        }
    }

    fn receive(&mut self, what: &str) -> Value {
        let message = self
            .messages
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|error| panic!("no answer from Chromium to {what}: {error}"));
        if message["method"] == "Network.requestWillBeSent" {
            let url = message["params"]["request"]["url"].as_str().unwrap_or_default();
            self.asked.push(url.to_owned());
        }
        message
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Either fails only when the browser is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a screen shows.
pub(crate) struct Picture {
    pub(crate) png: Vec<u8>,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Red, green, blue, from the top left, row by row.
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn of(png: Vec<u8>) -> Self {
        let mut reader =
            png::Decoder::new(std::io::Cursor::new(png.as_slice())).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let size = info.color_type.samples();
        assert!(size >= 3, "a picture in color");
        let pixels = bytes[..info.buffer_size()].chunks_exact(size);
        let pixels = pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let (width, height) = (info.width as usize, info.height as usize);
        Self { png, width, height, pixels }
    }

    /// Returns the color at a place.
    pub(crate) fn at(&self, x: f64, y: f64) -> [u8; 3] {
        let (x, y) = (x as usize, y as usize);
        assert!(x < self.width && y < self.height, "{x}, {y} is outside of the picture");
        self.pixels[y * self.width + x]
    }

    /// Returns how light it is on average, 0 to 255.
    pub(crate) fn lightness(&self) -> f64 {
        let sum: u64 = self.pixels.iter().flatten().map(|value| u64::from(*value)).sum();
        sum as f64 / (self.pixels.len() * 3) as f64
    }

    /// Returns how many colors there are in a part: text and drawings have many, an empty part has one.
    pub(crate) fn colors(&self, left: f64, top: f64, width: f64, height: f64) -> usize {
        let mut colors = std::collections::BTreeSet::new();
        for y in top as usize..((top + height) as usize).min(self.height) {
            for x in left as usize..((left + width) as usize).min(self.width) {
                colors.insert(self.pixels[y * self.width + x]);
            }
        }
        colors.len()
    }
}
