//! How long the tests run that find more the longer they run: short in `./dev test`, whole with `./dev soak`.

/// The number of rounds: the first usually, the second in `./dev soak`.
pub fn rounds(short: usize, whole: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "./dev soak says so in the environment")]
    let soaks = std::env::var_os("SOAK").is_some();
    if soaks { whole } else { short }
}

/// Says what a long test measured; seen with `--nocapture`.
pub fn measured(what: std::fmt::Arguments<'_>) {
    #[expect(clippy::print_stdout, reason = "a figure for whoever runs the test by hand")]
    {
        println!("{what}");
    }
}
