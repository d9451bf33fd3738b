//! What the tests of subcommands share.
#![allow(dead_code, reason = "every test binary uses its own part")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder of its own for each test, removed at the end, in which the binary runs.
pub struct Workdir(tempfile::TempDir);

impl Workdir {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// One with the graph of the digits network as `g`.
    pub fn digits() -> Self {
        let (dir, model) = (Self::new(), repository("fixtures/digits/digits.onnx"));
        dir.ok(["build-graph", "--quiet", "--model", model.to_str().unwrap(), "-o", "g"]);
        dir
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, contents).expect("the folder is writable");
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("there is such a file")
    }

    /// Copies the files of a folder into a new folder, where they can be changed.
    pub fn copy(&self, from: &Path, name: &str) {
        std::fs::create_dir(self.path(name)).expect("the folder is new");
        for entry in std::fs::read_dir(from).expect("the source is a folder") {
            let entry = entry.unwrap();
            self.write(
                &format!("{name}/{}", entry.file_name().to_str().unwrap()),
                std::fs::read(entry.path()).unwrap(),
            );
        }
    }

    /// Names in the folder, sorted, hidden ones too.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder is readable");
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The binary in this folder, with arguments.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Waits until there is a file or folder of this name, a minute at most.
    pub fn wait_for(&self, name: &str) {
        let patience = Instant::now() + Duration::from_secs(60);
        while !self.path(name).exists() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The flags of a method, with that many sweeps if it has a schedule.
    pub fn method<'a>(method: &'a str, sweeps: &'a str) -> Vec<&'a str> {
        let flags = ["--method", method, "--sweeps", sweeps];
        flags[..if method == "anneal" { 4 } else { 2 }].to_vec()
    }

    /// Runs a command, sends it SIGTERM once there is a file of this name, and returns its error message; it must exit
    /// with 1.
    pub fn terminated<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, once: &str) -> String {
        self.signalled("TERM", args, once)
    }

    /// The same with another signal.
    pub fn signalled<S: AsRef<OsStr>>(&self, signal: &str, args: impl IntoIterator<Item = S>, once: &str) -> String {
        let run = self.command(args).stderr(Stdio::piped()).spawn().expect("the binary starts");
        self.wait_for(once);
        let sent = Command::new("kill").args([&format!("-{signal}"), &run.id().to_string()]).status();
        assert!(sent.expect("there is a kill").success());
        let output = run.wait_with_output().expect("the binary ends");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        message
    }

    /// Runs a command that writes `output` and can be resumed, kills it, and resumes it until it has ended; how often it was
    /// killed. Each life is `longer` than the one before, so that even a slow machine saves something in one of them.
    pub fn killed_until_done(&self, args: &[&str], output: &str, longer: Duration) -> u32 {
        let checkpoint = self.path(&format!("{output}.checkpoint"));
        let mut lives = 0;
        loop {
            let mut run =
                self.command(args.iter().chain(&["-o", output, "--resume"])).spawn().expect("the binary starts");
            let death = Instant::now() + longer * (lives + 1);
            while run.try_wait().unwrap().is_none() && Instant::now() < death {
                std::thread::sleep(Duration::from_millis(2));
            }
            if let Some(status) = run.try_wait().unwrap() {
                assert!(status.success(), "{status} in life {lives}");
                break;
            }
            run.kill().unwrap();
            run.wait().unwrap();
            lives += 1;
            // Killed between its last act and its end.
            if self.path(output).exists() && !checkpoint.exists() {
                break;
            }
        }
        assert!(!checkpoint.exists());
        lives
    }

    /// Runs a command that must exit with `code`.
    pub fn run<S: AsRef<OsStr>>(&self, code: i32, args: impl IntoIterator<Item = S>) -> Ran {
        let mut command = self.command(args);
        let output = command.output().expect("the binary starts");
        let ran = Ran { command: format!("{command:?}"), output };
        assert_eq!(ran.output.status.code(), Some(code), "{}", ran.report());
        ran
    }

    /// Runs a command that must fail under a limit of the shell's, e.g. `ulimit -f 8`.
    #[cfg(unix)]
    pub fn fails_under(&self, limit: &str, args: &[&str]) -> Ran {
        let script = format!("{limit} && exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_pipeline")]).args(args);
        let output = command.current_dir(self.0.path()).stdin(Stdio::null()).output().expect("there is a shell");
        let ran = Ran { command: format!("{command:?}"), output };
        assert_eq!(ran.output.status.code(), Some(1), "{}", ran.report());
        ran
    }

    /// Runs a command that must succeed.
    pub fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.run(0, args)
    }
}

/// A command that has ended.
pub struct Ran {
    command: String,
    output: Output,
}

impl Ran {
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Asserts that stderr is one error line that contains all of `words`.
    #[track_caller]
    pub fn fails_with(&self, words: &[&str]) {
        let stderr = self.stderr();
        let one_line = stderr.starts_with("pipeline: error: ") && stderr.trim_end().lines().count() == 1;
        assert!(one_line && words.iter().all(|word| stderr.contains(word)), "expected {words:?}\n{}", self.report());
    }

    fn report(&self) -> String {
        let (status, stdout, stderr) = (self.output.status, self.stdout(), self.stderr());
        format!("command: {}\n{status}\nstdout:\n{stdout}\nstderr:\n{stderr}", self.command)
    }
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
