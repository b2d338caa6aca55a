//! The notification service as a process of its own.

fn main() -> std::process::ExitCode {
    huiyin_chassis::main("notification", notification::migrations, notification::start)
}
