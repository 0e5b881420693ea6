//! Measures what each phase of a run costs at a number of resources, on the provider in memory and a state on disk.
//!
//! ```text
//! cargo run --release -p reconcile-engine --example scale -- [--json] [--shape SHAPE]… [SIZE]…
//! ```
//!
//! Each size of each shape runs in a process of its own, so that peak memory is that of its own. With `--json` each
//! measurement is one line: `{"what", "size", "shape", "seconds", "per_resource_us", "peak_rss_mb", "cpu_seconds"}`. The
//! phases come in the order of a run, and `peak_rss_mb` is the most that was resident up to the end of each. On a machine that
//! does other things as well, `cpu_seconds` is what to look at: `seconds` holds the wait for a processor, too.

mod measure;
mod shapes;

use std::error::Error;
use std::io::Write as _;
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
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options(std::env::args().skip(1))?;
    let told = if options.json { Told::Json } else { Told::Table };
    if let ([shape], [size]) = (options.shapes.as_slice(), options.sizes.as_slice()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(measure::run(shape, *size, told));
    }
    for shape in &options.shapes {
        for size in &options.sizes {
            let mut one = Command::new(std::env::current_exe()?);
            one.args(["--shape", shape.name, &size.to_string()]);
            one.args(options.json.then_some("--json"));
            std::io::stdout().flush()?;
            let status = one.status()?;
            if !status.success() {
                return Err(format!("{} at {size}: {status}", shape.name).into());
            }
        }
    }
    Ok(())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options { json: false, shapes: Vec::new(), sizes: Vec::new() };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
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
