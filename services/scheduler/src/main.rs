//! The scheduler's own process.

fn main() -> std::process::ExitCode {
    huiyin_chassis::main("scheduler", scheduler::migrations, scheduler::start)
}
