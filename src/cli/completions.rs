//! `attune completions`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::cli;

/// Arguments of `attune completions`.
#[derive(clap::Args)]
#[command(
    after_help = "bash:  source <(attune completions bash)                             in ~/.bashrc\n\
                  zsh:   attune completions zsh > ~/.zfunc/_attune                     a folder of $fpath\n\
                  fish:  attune completions fish > ~/.config/fish/completions/attune.fish"
)]
pub struct Args {
    /// Of which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
///
/// Never: they are made of the command line itself.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    cli::say(String::from_utf8_lossy(&text(args.shell)).trim_end());
    Ok(ExitCode::SUCCESS)
}

fn text(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    generate(shell, &mut cli::Arguments::command(), "attune", &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::{Shell, text};

    #[test]
    fn every_shell_completes_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = String::from_utf8(text(shell)).unwrap();
            for word in ["backtest", "completions", "deny-warnings"] {
                assert!(text.contains(word), "{shell}: {word}");
            }
        }
    }
}
