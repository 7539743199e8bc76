//! Several servers with the extension, joined to one cluster.

use std::ops::Index;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Failure, Folder, LONG, Network, Options, Outcome, Place, Server, wait_until};

/// Digest and count of a table's rows, states and metadata included (the text form
/// of the CRDT types holds all of their state); `{}` is the table's name.
pub const FINGERPRINT: &str = "SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), '')) \
    || ', ' || count(*) || ' rows' FROM {} t";

/// Nodes that are members of one cluster, with the network between them. The first
/// one founded it.
pub struct Cluster {
    // In this order they are dropped: servers, network, files.
    nodes: Vec<Server>,
    /// The network between the nodes.
    pub network: Network,
    proxies: bool,
    inside: PathBuf,
    _folder: Option<Folder>,
    place: Place,
    options: Options,
}

impl Cluster {
    /// Servers a, b and c, joined.
    pub fn three_nodes(label: &str) -> Outcome<Cluster> {
        Cluster::start(label, &["a", "b", "c"], &Options::with_extension())
    }

    /// Servers with these names; the first founds the cluster and invites the others.
    pub fn start(label: &str, names: &[&str], options: &Options) -> Outcome<Cluster> {
        Cluster::assemble(label, names, options, true)
    }

    /// The same without proxies between the nodes, for measurements.
    pub fn start_direct(label: &str, names: &[&str], options: &Options) -> Outcome<Cluster> {
        Cluster::assemble(label, names, options, false)
    }

    /// No server yet; they will keep their data in `inside`, and it will stay.
    pub fn in_folder(place: &Place, inside: &Path, options: &Options) -> Cluster {
        Cluster {
            nodes: Vec::new(),
            network: Network::default(),
            proxies: true,
            inside: inside.to_owned(),
            _folder: None,
            place: place.clone(),
            options: options.clone(),
        }
    }

    fn assemble(label: &str, names: &[&str], options: &Options, proxies: bool) -> Outcome<Cluster> {
        let place = Place::find()?;
        let folder = Folder::fresh(&place, label)?;
        let mut cluster = Cluster::in_folder(&place, folder.path(), options);
        cluster._folder = Some(folder);
        cluster.proxies = proxies;
        for name in names {
            cluster.add_alone(name)?;
            if cluster.nodes.len() > 1 {
                cluster.join(name)?;
            }
        }
        // One alone founds its chain when it has something to track.
        if cluster.nodes.len() > 1 {
            cluster.wait_for_members()?;
        }
        Ok(cluster)
    }

    /// One more server with the extension, its name and address set, not yet joined.
    pub fn add_alone(&mut self, name: &str) -> Outcome {
        self.add_empty(name)?;
        self.node(name)?.run("CREATE EXTENSION blockchain_crdt")?;
        self.introduce(name)
    }

    /// One more server, its database empty.
    pub fn add_empty(&mut self, name: &str) -> Outcome {
        let server = Server::start(&self.place, &self.inside, name, &self.options)?;
        self.nodes.push(server);
        Ok(())
    }

    /// Puts the node into the network and tells it its name and address there.
    pub fn introduce(&mut self, name: &str) -> Outcome {
        let server = self.node(name)?;
        let (data, port) = (server.folder().join("data"), server.listen_port());
        let door = match self.proxies {
            true => self.network.add(self.place.state(), name, &data, port)?,
            false => port,
        };
        self.introduce_at(name, door)
    }

    /// Tells the node its name and the port at which others reach it.
    pub fn introduce_at(&self, name: &str, port: u16) -> Outcome {
        self.node(name)?.run(&format!(
            "SELECT crdt_set_node('{name}', 'https://127.0.0.1:{port}')"
        ))
    }

    /// Has the founder invite a node and the node join.
    pub fn join(&self, name: &str) -> Outcome {
        let founder = self
            .nodes
            .first()
            .ok_or_else(|| Failure::new("the cluster has no node"))?;
        let invite = founder.text("SELECT crdt_create_invite()")?;
        let mut session = self.node(name)?.session()?;
        session
            .client()
            .query("SELECT crdt_join($1::text)", &[&invite])?;
        Ok(())
    }

    /// Waits until every node knows all of them as members.
    pub fn wait_for_members(&self) -> Outcome {
        let wanted = self.nodes.len().to_string();
        for node in &self.nodes {
            self.wait(
                LONG,
                &format!("{} to know {wanted} members", node.name()),
                || {
                    let seen = node.text("SELECT count(*) FROM crdt_nodes")?;
                    Ok(if seen == wanted {
                        Ok(())
                    } else {
                        Err(format!("{seen} members"))
                    })
                },
            )?;
        }
        Ok(())
    }

    /// All nodes, the founder first.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// A node by its name.
    pub fn node(&self, name: &str) -> Outcome<&Server> {
        self.nodes
            .iter()
            .find(|node| node.name() == name)
            .ok_or_else(|| Failure::new(format!("no node {name}")))
    }

    /// A node by its name, to stop, kill or start it.
    pub fn node_mut(&mut self, name: &str) -> Outcome<&mut Server> {
        self.nodes
            .iter_mut()
            .find(|node| node.name() == name)
            .ok_or_else(|| Failure::new(format!("no node {name}")))
    }

    /// Carries out statements on every node.
    pub fn run_on_all(&self, sql: &str) -> Outcome {
        self.nodes.iter().try_for_each(|node| node.run(sql))
    }

    /// Waits; a failure tells the end of every node's log.
    #[track_caller]
    pub fn wait<T>(
        &self,
        deadline: Duration,
        what: &str,
        probe: impl FnMut() -> Outcome<Result<T, String>>,
    ) -> Outcome<T> {
        wait_until(deadline, what, probe).map_err(|failure| {
            let logs: Vec<String> = self.nodes.iter().map(|node| node.log_tail(15)).collect();
            failure.during(&logs.join("\n"))
        })
    }

    /// What `sql` gives on every node, as (name, text).
    pub fn on_all(&self, sql: &str) -> Outcome<Vec<(String, String)>> {
        self.nodes
            .iter()
            .map(|node| Ok((node.name().to_owned(), node.text(sql)?)))
            .collect()
    }

    fn states(&self, sql: &str) -> Outcome<Vec<(String, String)>> {
        let state = |node: &Server| Ok((node.name().to_owned(), node.session()?.state(sql)?));
        self.nodes.iter().map(state).collect()
    }

    /// Waits until `sql` gives the same text on every node; gives that text.
    #[track_caller]
    pub fn wait_same(&self, sql: &str) -> Outcome<String> {
        self.wait(LONG, &format!("all nodes to agree on: {sql}"), || {
            let answers = self.states(sql)?;
            let first = answers
                .first()
                .map(|(_, text)| text.clone())
                .unwrap_or_default();
            Ok(if answers.iter().all(|(_, text)| *text == first) {
                Ok(first)
            } else {
                Err(format!("{answers:?}"))
            })
        })
    }

    /// Waits until `sql` gives `wanted` on every node.
    #[track_caller]
    pub fn wait_all(&self, sql: &str, wanted: &str) -> Outcome {
        self.wait(LONG, &format!("{wanted} on all nodes from: {sql}"), || {
            let answers = self.states(sql)?;
            Ok(if answers.iter().all(|(_, text)| text == wanted) {
                Ok(())
            } else {
                Err(format!("{answers:?}"))
            })
        })
    }

    /// Waits until every node has the table, which arrives with its first op.
    #[track_caller]
    pub fn wait_for_table(&self, table: &str) -> Outcome {
        self.wait_all(&format!("SELECT to_regclass('{table}') IS NOT NULL"), "t")
    }

    /// Waits until the table holds the same bytes on every node.
    #[track_caller]
    pub fn wait_equal(&self, table: &str) -> Outcome<String> {
        self.wait_same(&FINGERPRINT.replace("{}", table))
    }

    /// Has the founder make a block, waits until every node holds it, and has each
    /// verify the whole chain, and each tracked table against it.
    #[track_caller]
    pub fn verify_all(&self) -> Outcome {
        let founder = self
            .nodes
            .first()
            .ok_or_else(|| Failure::new("the cluster has no node"))?;
        let height = founder.number("SELECT crdt_commit_block()")?;
        self.wait(LONG, &format!("all nodes to hold block {height}"), || {
            let heights = self.on_all("SELECT coalesce(max(height), 0) FROM crdt_blocks")?;
            let behind = heights
                .iter()
                .any(|(_, at)| at.parse::<i64>().is_ok_and(|at| at < height));
            Ok(if behind {
                Err(format!("{heights:?}"))
            } else {
                Ok(())
            })
        })?;
        for node in &self.nodes {
            let mut session = node.session()?;
            if !session.is("SELECT verify_chain()")? {
                let findings = session.rows("SELECT * FROM scan_chain()")?;
                return Err(Failure::new(format!(
                    "{}: verify_chain() is false: {findings:?}",
                    node.name()
                )));
            }
            let altered = session.rows(
                // That payloads were pruned is no alteration.
                "SELECT t.relation::text, f.* FROM crdt_tracked t, verify_table(t.relation) f
                  WHERE f.kind <> 'not_checkable' LIMIT 20",
            )?;
            if !altered.is_empty() {
                return Err(Failure::new(format!(
                    "{}: verify_table() finds {altered:?}",
                    node.name()
                )));
            }
        }
        Ok(())
    }

    /// Lets the servers run on when this program ends.
    pub fn leave_running(self) {
        self.nodes.into_iter().for_each(Server::leave_running);
    }
}

impl Index<usize> for Cluster {
    type Output = Server;

    fn index(&self, position: usize) -> &Server {
        &self.nodes[position]
    }
}
