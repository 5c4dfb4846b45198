//! The program.

fn main() -> std::process::ExitCode {
    nightlatch::cli::main()
}
