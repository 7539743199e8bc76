//! `make demo`: three servers keep one shop, through an outage, a crash and a
//! forgery. `demo stop` ends what it leaves up.
//!
//! Every sentence that says something holds has just been checked; the first that
//! does not hold ends the demo with a status other than 0.

mod business;
mod checks;
mod forgery;
mod links;
mod proof;
mod story;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use harness::{Cluster, Failure, Options, Outcome, Place, stop_abandoned};
use links::Links;
use story::Story;

/// The demo's servers; the first founds the cluster.
const NAMES: [&str; 3] = ["a", "b", "c"];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] => play(),
        ["stop"] => Place::find().and_then(|place| stop(&folder(&place))),
        [links::COMMAND, folder] => links::serve(Path::new(folder)),
        _ => Err(Failure::new("usage: demo [stop]")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            Story::begin().broken(failure);
            ExitCode::FAILURE
        }
    }
}

fn folder(place: &Place) -> PathBuf {
    place.state().join("demo")
}

fn stop(folder: &Path) -> Outcome {
    if !folder.exists() {
        println!("no demo is up");
        return Ok(());
    }
    for name in NAMES {
        stop_abandoned(&folder.join(name))?;
    }
    links::stop(folder)?;
    fs::remove_dir_all(folder)?;
    println!("the demo's servers are stopped and removed");
    Ok(())
}

fn play() -> Outcome {
    let place = Place::find()?;
    let folder = folder(&place);
    if folder.exists() {
        stop(&folder)?;
    }
    fs::create_dir_all(&folder)?;

    let mut story = Story::begin();
    story.title("blockchain_crdt: three PostgreSQL servers that keep one shop");
    let mut links = Links::start(&folder)?;
    let mut cluster = Cluster::in_folder(&place, &folder, &Options::with_extension());
    let end = chapters(&mut story, &mut cluster, &mut links, &folder);
    if end.is_ok() {
        farewell(&story, &cluster);
    } else {
        story.say(format!("The servers' logs: {}/*/log", folder.display()));
    }
    // Up in either case: whoever sees a failure will want to look.
    cluster.leave_running();
    end
}

fn chapters(story: &mut Story, cluster: &mut Cluster, links: &mut Links, folder: &Path) -> Outcome {
    servers(story, cluster, links)?;
    business::open_shop(story, cluster)?;
    business::trade(story, cluster, links)?;
    checks::compare(story, cluster)?;
    proof::check_offline(story, cluster, folder)?;
    forgery::forge_and_find(story, cluster)
}

fn servers(story: &mut Story, cluster: &mut Cluster, links: &mut Links) -> Outcome {
    story.chapter("Three servers");
    for name in NAMES {
        cluster.add_empty(name)?;
        let server = cluster.node(name)?;
        server.run("CREATE EXTENSION blockchain_crdt")?;
        let door = links.add(server)?;
        cluster.introduce_at(name, door)?;
        story.say(format!("{name} is up, with data and keys of its own."));
    }
    story.say("");
    story.sql("a", "SELECT crdt_create_invite();");
    story.sql(
        "b",
        "SELECT crdt_join('...the invitation...');   -- and so does c",
    );
    story.say("");
    for name in &NAMES[1..] {
        cluster.join(name)?;
    }
    cluster.wait_for_members()?;
    story.holds("each of the three knows the others' keys and talks to nobody else");
    Ok(())
}

fn farewell(story: &Story, cluster: &Cluster) {
    story.title("It is yours now");
    for node in cluster.nodes() {
        let psql = node.place().path("psql");
        story.say(format!(
            "{}:  {} -h {} -U postgres app",
            node.name(),
            psql.display(),
            node.sockets().display()
        ));
    }
    story.say("");
    story.say(
        "Try:  UPDATE product SET stock = stock - 1 WHERE id = 1;   on one, and read it on another",
    );
    story.say(
        "      SELECT * FROM crdt_ops ORDER BY at DESC LIMIT 5;     who changed what, and when",
    );
    story.say("Stop: make demo-stop");
    println!();
}
