//! A folder for the time of one run.

use std::fs::{self, File};
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// What the names of the folders begin with.
const NAME: &str = "attune-backtest-";

/// The file that an owner holds locked.
const LOCK: &str = "lock";

/// How many names are tried.
const TRIES_MAX: u32 = 10_000;

/// A folder that goes with its owner; when its owner is killed, it goes when the next one is made.
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    _lock: Option<File>,
}

impl Folder {
    /// Makes a folder among others for temporary files, and clears away what killed owners have left there.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn make(among: &Path) -> Result<Self> {
        clear(among);
        let path = make(among)?;
        // Without locks, as on some network disks, what a killed owner leaves stays there.
        let held = lock(&path).ok();
        Ok(Self { path, _lock: held })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the system's folder for temporary files.
        let _left = fs::remove_dir_all(&self.path);
    }
}

/// Takes the first name that is free: a killed process with the same number may have left some.
fn make(among: &Path) -> Result<PathBuf> {
    let mut n = 0;
    loop {
        let path = among.join(format!("{NAME}{}-{n}", std::process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && n < TRIES_MAX => n += 1,
            made => return made.map(|()| path),
        }
    }
}

/// The file has its name once it is locked, so that nobody finds it unlocked while its owner lives.
fn lock(folder: &Path) -> Result<File> {
    let (early, name) = (folder.join("lock.new"), folder.join(LOCK));
    let file = File::create_new(&early)?;
    file.lock()?;
    fs::rename(early, name)?;
    Ok(file)
}

/// Removes the folders whose owners are gone.
fn clear(among: &Path) {
    let Ok(entries) = fs::read_dir(among) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_free = |lock: File| lock.try_lock().is_ok();
        if name.starts_with(NAME) && File::open(path.join(LOCK)).is_ok_and(is_free) {
            let _left = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner() {
        let among = tempfile::tempdir().unwrap();
        let folder = Folder::make(among.path()).unwrap();
        fs::write(folder.path.join("a"), "1").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(among.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_owner_left_goes_with_the_next_one_and_what_has_an_owner_stays() {
        let among = tempfile::tempdir().unwrap();
        let left = among.path().join("attune-backtest-1-0");
        let foreign = among.path().join("something-else");
        for path in [&left, &foreign] {
            fs::create_dir(path).unwrap();
            fs::write(path.join(LOCK), "").unwrap();
        }
        let first = Folder::make(among.path()).unwrap();
        let second = Folder::make(among.path()).unwrap();
        let is_there = [&left, &foreign, &first.path, &second.path].map(|path| path.exists());
        assert_eq!(is_there, [false, true, true, true]);
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let among = tempfile::tempdir().unwrap();
        let taken = format!("{NAME}{}-0", std::process::id());
        let taken = among.path().join(taken);
        fs::create_dir(&taken).unwrap();
        let folder = Folder::make(among.path()).unwrap();
        assert!(taken.exists() && folder.path.exists() && folder.path != taken);
    }
}
