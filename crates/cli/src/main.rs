//! The `reconcile` binary.
//!
//! **Architecture Invariant:** the only crate that prints, exits, and reads arguments or the environment. It wires the
//! AWS provider and the state's store into the engine.

mod again;
mod args;
mod backend;
mod commands;
mod console;
mod exit;
mod load;
mod progress;
mod runtime;
mod saved;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::usage(&error),
    };
    let console = console::Console::new(arguments.no_color);
    let result = match arguments.command {
        Command::Validate(command) => commands::validate::run(&command, &console),
        Command::Plan(command) => commands::plan::run(command, &console),
        Command::Apply(command) => commands::apply::run(command, &console),
        Command::Destroy(command) => commands::destroy::run(command, &console),
        Command::Import(command) => commands::import::run(&command, &console),
        Command::Check(command) => commands::check::run(&command, &console),
        Command::Show(command) => commands::show::run(&command, &console),
        Command::Output(command) => commands::output::run(&command, &console),
        Command::Graph(command) => commands::graph::run(&command, &console),
        Command::State(command) => commands::state::run(command, &console),
        Command::Unlock(command) => commands::unlock::run(&command, &console),
        Command::Schema(command) => commands::schema::run(&command, &console),
        Command::Completions(command) => commands::completions::run(&command),
    };
    console.finish(result)
}
