//! The survey service as a process of its own.
fn main() -> std::process::ExitCode {
    huiyin_chassis::main("survey", survey::migrations, survey::start)
}
