//! `seeds FOLDER`: writes the seeds of each target into FOLDER/<target>/ and prints the names of
//! the targets, a line each.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).expect("usage: seeds FOLDER"));
    for target in fuzz::targets() {
        let corpus = folder.join(&target.name);
        fs::create_dir_all(&corpus)?;
        for (number, seed) in target.seeds.iter().enumerate() {
            // A seed that its own check refuses would be a bug of the seed.
            (target.check)(seed);
            fs::write(corpus.join(format!("seed-{number}")), seed)?;
        }
        println!("{}", target.name);
    }
    Ok(())
}
