//! Takes a password from stdin or from a person, never from an argument that others can see.

use std::io::Read as _;

use super::{Failure, out};

/// The password: the first line of stdin when asked to read it there, else typed twice.
pub fn take(from_stdin: bool, prompt: &str) -> Result<String, Failure> {
    if from_stdin {
        let mut text = String::new();
        std::io::stdin().lock().take(4096).read_to_string(&mut text)?;
        let password = text.lines().next().unwrap_or_default().to_owned();
        return if password.is_empty() { Err(Failure::usage("the password on stdin is empty")) } else { Ok(password) };
    }
    if !out::can_ask() {
        return Err(Failure::usage("there is no terminal to ask for a password: pass it with --password-stdin"));
    }
    let asked =
        dialoguer::Password::new().with_prompt(prompt).with_confirmation("Once more", "These were not the same").interact();
    asked.map_err(|error| Failure::usage(error.to_string()))
}
