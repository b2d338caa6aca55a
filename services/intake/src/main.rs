//! The process of the intake room.

fn main() -> std::process::ExitCode {
    huiyin_chassis::main("intake", intake::migrations, intake::start)
}
