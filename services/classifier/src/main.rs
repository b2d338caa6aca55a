//! The classifier as a process of its own.

fn main() -> std::process::ExitCode {
    huiyin_chassis::main("classifier", classifier::migrations, classifier::start)
}
