//! Measures what each phase of a run costs at a number of resources, on the provider in memory and a state on disk.
//!
//! ```text
//! cargo run --release -p reconcile-engine --example scale -- [--json] [--shape SHAPE]… [SIZE]…
//! cargo run --release -p reconcile-engine --example scale -- [--json] --state FOLDER --shape SHAPE SIZE
//! ```
//!
//! Each size of each shape runs in two processes, so that peak memory is that of its own: the first plans and applies, and
//! leaves its state behind; the second opens that, and plans again. With `--state` only one of the two runs, in this process:
//! the first where the folder has no state, else the second. That is for profiling.
//!
//! With `--json` each measurement is one line: `{"what", "size", "shape", "seconds", "per_resource_us", "rss_mb",
//! "peak_rss_mb", "cpu_seconds"}`. The phases come in the order of a run; `rss_mb` is what is resident at the end of each, and
//! `peak_rss_mb` the most that was resident up to then. Both count what the cloud in memory holds, of which the phase `cloud`
//! tells. On a machine that does other things as well, `cpu_seconds` is what to look at: `seconds` holds the wait for a
//! processor, too.

mod measure;
mod shapes;

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use measure::Told;
use shapes::{SHAPES, Shape};

/// The sizes that are measured when none is named.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// What to measure.
struct Options {
    json: bool,
    shapes: Vec<&'static Shape>,
    sizes: Vec<usize>,
    state: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options(std::env::args().skip(1))?;
    let told = if options.json { Told::Json } else { Told::Table };
    if let Some(folder) = &options.state {
        let ([shape], [size]) = (options.shapes.as_slice(), options.sizes.as_slice()) else {
            return Err("with `--state` name one shape and one size".into());
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(measure::run(shape, *size, folder, told));
    }
    for shape in &options.shapes {
        for size in &options.sizes {
            let folder = tempfile::tempdir()?;
            run_apart(shape, *size, folder.path(), options.json)?;
            if !shape.is_chain {
                run_apart(shape, *size, folder.path(), options.json)?;
            }
        }
    }
    Ok(())
}

/// Runs this program on a state in a process of its own.
fn run_apart(
    shape: &Shape,
    size: usize,
    folder: &Path,
    as_json: bool,
) -> Result<(), Box<dyn Error>> {
    let mut one = Command::new(std::env::current_exe()?);
    one.arg("--state").arg(folder).args(["--shape", shape.name, &size.to_string()]);
    one.args(as_json.then_some("--json"));
    std::io::stdout().flush()?;
    let status = one.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} at {size}: {status}", shape.name).into())
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options { json: false, shapes: Vec::new(), sizes: Vec::new(), state: None };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--state" => options.state = Some(arguments.next().ok_or("which folder?")?.into()),
            "--shape" => {
                let name = arguments.next().unwrap_or_default();
                let shape = SHAPES.iter().find(|shape| shape.name == name);
                let known: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
                let unknown = || format!("no shape `{name}`; there are {}", known.join(", "));
                options.shapes.push(shape.ok_or_else(unknown)?);
            }
            size => {
                let wrong = |_| format!("`{size}` is no size");
                options.sizes.push(size.replace('_', "").parse().map_err(wrong)?);
            }
        }
    }
    if options.shapes.is_empty() {
        options.shapes.extend(SHAPES.iter());
    }
    if options.sizes.is_empty() {
        options.sizes.extend(SIZES);
    }
    Ok(options)
}
