//! The analytics service as a process of its own.

fn main() -> std::process::ExitCode {
    huiyin_chassis::main("analytics", analytics::migrations, analytics::start)
}
