//! placeholder
fn main() -> std::process::ExitCode {
    threadbare_rustpython::main()
}
