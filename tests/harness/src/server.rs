//! One private PostgreSQL server.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use postgres::{Config, NoTls};
use rustix::process::Signal;

use crate::{Failure, LONG, Outcome, Place, Port, Program, Session, process, wait_until};

/// The database that every server has for the test's own tables.
pub(crate) const DATABASE: &str = "app";
/// Longest path that a socket's address holds, less the socket's own name.
const LONGEST_SOCKET_FOLDER: usize = 107 - "/.s.PGSQL.5432".len();

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    preload: bool,
    settings: Vec<(String, String)>,
}

impl Options {
    /// A server with the extension's library loaded at start.
    pub fn with_extension() -> Self {
        Options {
            preload: true,
            settings: Vec::new(),
        }
    }

    /// A server that does not load the library at start.
    pub fn plain() -> Self {
        Options {
            preload: false,
            settings: Vec::new(),
        }
    }

    /// One more line of postgresql.conf.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A private server: own data, own socket folder, nobody else can reach it (it has
/// no TCP port of PostgreSQL's; any user of the machine could connect to that).
/// Dropping it kills it.
pub struct Server {
    name: String,
    place: Place,
    folder: PathBuf,
    sockets: PathBuf,
    listen: Port,
    child: Option<Child>,
}

impl Server {
    /// Makes a server in the folder `inside/NAME` and starts it. It has an empty
    /// database `app`.
    pub fn start(place: &Place, inside: &Path, name: &str, options: &Options) -> Outcome<Server> {
        let folder = inside.join(name);
        fs::create_dir_all(&folder)?;
        let mut sockets = folder.join("socket");
        if sockets.as_os_str().len() > LONGEST_SOCKET_FOLDER {
            sockets = PathBuf::from(format!("/tmp/bcrdt-{}-{name}", std::process::id()));
        }
        place.make_private(&sockets)?;
        let data = folder.join("data");
        place.make_private(&data)?;
        let mut initdb = place.command("initdb");
        initdb.arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]);
        // The folder is new and nothing depends on it yet; the server itself syncs.
        initdb.arg("--no-sync").current_dir(&data);
        Program::new(initdb, LONG).run()?;

        let listen = Port::claim(place.state())?;
        let mut server = Server {
            name: name.to_owned(),
            place: place.clone(),
            folder,
            sockets,
            listen,
            child: None,
        };
        server.configure(options)?;
        server.launch()?;
        server
            .session_on("postgres")?
            .run(&format!("CREATE DATABASE {DATABASE}"))?;
        Ok(server)
    }

    fn configure(&self, options: &Options) -> Outcome {
        let mut lines = vec![
            "listen_addresses = ''".to_owned(),
            format!("unix_socket_directories = '{}'", self.sockets.display()),
            "port = 5432".to_owned(),
            "fsync = on".to_owned(),
            "synchronous_commit = on".to_owned(),
            "autovacuum = on".to_owned(),
            "shared_buffers = 128MB".to_owned(),
            "max_wal_size = 2GB".to_owned(),
            "max_worker_processes = 16".to_owned(),
            "timezone = 'UTC'".to_owned(),
            "log_line_prefix = '%m [%p] %b %d '".to_owned(),
        ];
        if options.preload {
            lines.push("shared_preload_libraries = 'blockchain_crdt'".to_owned());
            lines.push(format!(
                "blockchain_crdt.listen = '127.0.0.1:{}'",
                self.listen.number()
            ));
        }
        for (name, value) in &options.settings {
            lines.push(format!("{name} = '{}'", value.replace('\'', "''")));
        }
        let file = self.folder.join("data/postgresql.conf");
        fs::write(&file, lines.join("\n") + "\n")?;
        self.place.give(&file)
    }

    /// Starts the server (again) and waits until it takes connections.
    pub fn launch(&mut self) -> Outcome {
        if self.child.is_some() {
            return Err(Failure::new(format!("{} runs already", self.name)));
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        let mut command = self.place.command("postgres");
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .current_dir(self.folder.join("data"));
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // Own group: an interrupt typed at the terminal must not reach the server.
        command.process_group(0);
        self.child = Some(command.spawn()?);
        let mut config = self.config("postgres");
        config.connect_timeout(Duration::from_secs(5));
        let ready = wait_until(
            LONG,
            &format!("server {} to take connections", self.name),
            || {
                if let Some(status) = self
                    .child
                    .as_mut()
                    .map(Child::try_wait)
                    .transpose()?
                    .flatten()
                {
                    self.child = None;
                    return Err(Failure::new(format!(
                        "server {} ended: {status}",
                        self.name
                    )));
                }
                Ok(config
                    .connect(NoTls)
                    .map(drop)
                    .map_err(|error| Failure::from(error).to_string()))
            },
        );
        ready.map_err(|failure| failure.during(&self.log_tail(30)))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place that its programs come from.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its folder: `data`, `log`, and `socket` unless the path would be too long.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of its Unix socket: the host to connect to.
    pub fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// The port on which its node serves its peers.
    pub fn listen_port(&self) -> u16 {
        self.listen.number()
    }

    /// Process id of the postmaster.
    pub fn pid(&self) -> Outcome<i32> {
        let child = self
            .child
            .as_ref()
            .ok_or_else(|| Failure::new(format!("{} does not run", self.name)))?;
        i32::try_from(child.id()).map_err(|_| Failure::new("process id out of range"))
    }

    /// Process ids of everything that the server runs, the postmaster first.
    pub fn processes(&self) -> Outcome<Vec<i32>> {
        Ok(process::tree(self.pid()?))
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// All that the server logged so far.
    pub fn log(&self) -> String {
        fs::read(self.log_file())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The last lines that the server logged.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        let tail = all[all.len().saturating_sub(lines)..].join("\n");
        format!("--- log of {}\n{tail}\n---", self.name)
    }

    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.sockets)
            .port(5432)
            .user("postgres")
            .dbname(database);
        config
            .connect_timeout(Duration::from_secs(20))
            .application_name("harness");
        config.options("-c statement_timeout=180s -c lock_timeout=60s");
        config
    }

    /// A connection to the database `app`.
    #[track_caller]
    pub fn session(&self) -> Outcome<Session> {
        self.session_on(DATABASE)
    }

    /// A connection to a database.
    #[track_caller]
    pub fn session_on(&self, database: &str) -> Outcome<Session> {
        match self.config(database).connect(NoTls) {
            Ok(client) => Ok(Session::new(client)),
            Err(error) => {
                Err(Failure::from(error).during(&format!("connect to {}/{database}", self.name)))
            }
        }
    }

    /// Carries out statements in the database `app`, on a connection of their own.
    #[track_caller]
    pub fn run(&self, sql: &str) -> Outcome {
        self.session()?.run(sql)
    }

    /// The first column of the first row, on a connection of its own.
    #[track_caller]
    pub fn text(&self, sql: &str) -> Outcome<String> {
        self.session()?.text(sql)
    }

    /// The first column of the first row as a number, on a connection of its own.
    #[track_caller]
    pub fn number(&self, sql: &str) -> Outcome<i64> {
        self.session()?.number(sql)
    }

    /// One of PostgreSQL's client programs, directed to this server.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.place.command(program);
        command
            .arg("-h")
            .arg(&self.sockets)
            .args(["-p", "5432", "-U", "postgres"]);
        command.current_dir(&self.folder);
        command
    }

    /// Sets a setting for good and has it take effect without a restart.
    pub fn set(&self, name: &str, value: &str) -> Outcome {
        let mut session = self.session_on("postgres")?;
        session.run(&format!(
            "ALTER SYSTEM SET {name} = '{}'",
            value.replace('\'', "''")
        ))?;
        self.reload()
    }

    /// SIGHUP.
    pub fn reload(&self) -> Outcome {
        process::signal(self.pid()?, Signal::HUP)
    }

    /// Kills every process of the server at one moment, as a power cut would.
    pub fn kill9(&mut self) -> Outcome {
        process::kill_tree(self.pid()?)?;
        self.reap()
    }

    /// A fast shutdown, within the time limit.
    pub fn stop(&mut self) -> Outcome {
        process::signal(self.pid()?, Signal::INT)?;
        let name = self.name.clone();
        let stopped = wait_until(LONG, &format!("server {name} to stop"), || {
            let Some(child) = self.child.as_mut() else {
                return Ok(Ok(()));
            };
            let left = process::tree(i32::try_from(child.id()).unwrap_or_default());
            Ok(if child.try_wait()?.is_some() {
                Ok(())
            } else {
                Err(format!("processes: {left:?}"))
            })
        });
        match stopped {
            Ok(()) => self.reap(),
            Err(failure) => Err(failure.during(&self.log_tail(30))),
        }
    }

    /// Stops and starts it.
    pub fn restart(&mut self) -> Outcome {
        self.stop()?;
        self.launch()
    }

    fn reap(&mut self) -> Outcome {
        if let Some(mut child) = self.child.take() {
            child.wait()?;
        }
        Ok(())
    }

    /// Lets the server run on when this program ends.
    pub fn leave_running(mut self) {
        self.child = None;
        self.sockets = PathBuf::new();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(pid) = self.pid() {
            // Its data are about to be removed: no need for a shutdown in order.
            if let Err(failure) = process::kill_tree(pid).and_then(|()| self.reap()) {
                eprintln!("{}: {failure}", self.name);
            }
        }
        if !self.sockets.as_os_str().is_empty() && !self.sockets.starts_with(&self.folder) {
            let _ = fs::remove_dir_all(&self.sockets);
        }
    }
}

/// Stops the server whose data lie in `folder/data`, left running by an earlier
/// program. That none runs is no error.
pub fn stop_abandoned(folder: &Path) -> Outcome {
    let data = folder.join("data");
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else {
        return Ok(());
    };
    let pid: i32 = text.lines().next().unwrap_or_default().parse()?;
    // Another process may have that number by now.
    let Ok(at) = fs::read_link(format!("/proc/{pid}/cwd")) else {
        return Ok(());
    };
    if at != data.canonicalize()? {
        return Ok(());
    }
    process::signal(pid, Signal::INT)?;
    wait_until(
        LONG,
        &format!("the server in {} to stop", folder.display()),
        || {
            Ok(if process::alive(pid) {
                Err(format!("process {pid} is there"))
            } else {
                Ok(())
            })
        },
    )
}
