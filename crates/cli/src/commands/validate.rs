//! `reconcile validate`.

use clap::Args;

use crate::args::SpecArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load;

/// Check a spec without credentials or network
#[derive(Args, Debug)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    spec: SpecArgs,

    /// Print the result, and what is wrong, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ValidateArgs, console: &Console) -> Result<Exit, Failure> {
    let result = load::quietly(&args.spec.spec, &args.spec.inputs);
    let diagnostics = match &result {
        Ok(loaded) => &loaded.warnings,
        Err(errors) => errors,
    };
    if args.json {
        console.print_json(&serde_json::json!({
            "format_version": "1.0",
            "valid": result.is_ok(),
            "error_count": diagnostics.iter().filter(|it| it.is_error()).count(),
            "warning_count": diagnostics.iter().filter(|it| !it.is_error()).count(),
            "diagnostics": diagnostics,
        }));
        return Ok(if result.is_ok() { Exit::Done } else { Exit::Failed });
    }
    let loaded = result?;
    console.diagnostics(&loaded.warnings);
    let spec = loaded.spec;
    let checks = match spec.checks.len() {
        0 => String::new(),
        1 => ", 1 check".to_owned(),
        number => format!(", {number} checks"),
    };
    console.print(&format!(
        "The spec of stack {} is valid: {} blocks, {} outputs{checks}.\n",
        spec.stack,
        spec.order().len(),
        spec.outputs.len()
    ));
    Ok(Exit::Done)
}
