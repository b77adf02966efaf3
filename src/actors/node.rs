//! A node: its partitions, kept alive; the way to them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration as StdDuration, Instant};

use ractor::Actor;
use tokio::sync::{oneshot, watch};

use crate::actors::engine::Engine;
use crate::actors::partition::{AskError, Headcount, Incoming, Message, Partition, Start};
use crate::actors::reader;
use crate::actors::recover::{self, recover};
use crate::actors::table::Table;
use crate::clock::{self, Clock};
use crate::decide::Ask;
use crate::domain::{Answer, CustomerId, Partition as Id, Profile, Timestamp};

/// The pause before a partition is started again, and the longest one.
const PAUSE: StdDuration = StdDuration::from_millis(100);
const PAUSE_MAX: StdDuration = StdDuration::from_secs(5);

/// How long a stop may take: without NATS nothing can leave, and what did not leave is in the log.
const STOP_MAX: StdDuration = StdDuration::from_secs(10);

/// How often a partition looks at the clock.
const TICK: StdDuration = StdDuration::from_millis(250);

/// A running node.
pub struct Node {
    /// What all actors share.
    pub engine: Arc<Engine>,
    table: Arc<Table>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Node {
    /// Starts every partition and the reader; they come up in the background.
    pub fn start(engine: Arc<Engine>) -> Self {
        let table = Arc::new(Table::new(engine.n_partitions));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        for id in 0..engine.n_partitions {
            let keeper = Keeper {
                engine: engine.clone(),
                table: table.clone(),
                id: Id(id),
                stopped: stopped.clone(),
            };
            tasks.push(tokio::spawn(keeper.keep()));
        }
        tasks.push(tokio::spawn(keep_reading(
            engine.clone(),
            table.clone(),
            stopped,
        )));
        Self {
            engine,
            table,
            stop,
            tasks: Mutex::new(tasks),
        }
    }

    /// Asks for offers; the answer comes after its commit.
    ///
    /// # Errors
    ///
    /// The customer's partition is not up or has too much to do.
    pub async fn ask(&self, customer: CustomerId, ask: Ask) -> Result<Arc<Answer>, AskError> {
        let (reply, answer) = oneshot::channel();
        let at = match self.engine.clock {
            Clock::Stream => clock::now(),
            // Time goes on with the events; a call comes at the time of its customer.
            Clock::Event => Timestamp::MIN,
        };
        self.send(&customer.clone(), Incoming::Ask(customer, ask, at, reply))?;
        answer.await.unwrap_or(Err(AskError::NotReady))
    }

    /// Returns a customer's profile; `None` if nothing is known of them.
    ///
    /// # Errors
    ///
    /// The customer's partition is not up.
    pub async fn look(&self, customer: CustomerId) -> Result<Option<Box<Profile>>, AskError> {
        let (reply, profile) = oneshot::channel();
        self.send(&customer.clone(), Incoming::Look(customer, reply))?;
        profile.await.map_err(|_| AskError::NotReady)
    }

    /// Returns where people are, over all partitions.
    ///
    /// # Errors
    ///
    /// A partition is not up.
    pub async fn headcount(&self) -> Result<Headcount, AskError> {
        let mut answers = Vec::new();
        for id in 0..self.engine.n_partitions {
            let actor = self.table.get(Id(id)).ok_or(AskError::NotReady)?;
            let (reply, answer) = oneshot::channel();
            let asked = actor.cast(Message::Census(reply));
            asked.map_err(|_| AskError::NotReady)?;
            answers.push(answer);
        }
        let mut all = Headcount {
            revision: u64::MAX,
            ..Headcount::default()
        };
        for answer in answers {
            let of = answer.await.map_err(|_| AskError::NotReady)?;
            all.people.merge(&of.people);
            all.revision = all.revision.min(of.revision);
        }
        Ok(all)
    }

    fn send(&self, customer: &CustomerId, incoming: Incoming) -> Result<(), AskError> {
        let id = customer.partition(self.engine.n_partitions);
        let actor = self.table.get(id).ok_or(AskError::NotReady)?;
        actor
            .cast(Message::Incoming(vec![incoming]))
            .map_err(|_| AskError::NotReady)
    }

    /// Tells if every partition is up and NATS is reachable, or what is wrong.
    ///
    /// # Errors
    ///
    /// What is wrong, in one line.
    pub fn ready(&self) -> Result<(), String> {
        self.engine.streams.health()?;
        let down = self.table.down();
        let Some((id, why)) = down.first() else {
            return Ok(());
        };
        Err(format!(
            "{} of {} partitions are not up; partition {id}: {why}",
            down.len(),
            self.engine.n_partitions
        ))
    }

    /// Returns why the node can't go on, once it is so.
    pub async fn failed(&self) -> String {
        let mut fatal = self.table.fatal();
        match fatal.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns how far the slowest partition has read.
    pub fn offset(&self) -> u64 {
        self.table.first_offset()
    }

    /// Stops reading, finishes what was read, writes a checkpoint, and lets everything out.
    pub async fn stop(&self) {
        let _nobody = self.stop.send(true);
        let mut done = Vec::new();
        for id in 0..self.engine.n_partitions {
            let Some(actor) = self.table.get(Id(id)) else {
                continue;
            };
            let (reply, finished) = oneshot::channel();
            if actor.cast(Message::Stop(reply)).is_ok() {
                done.push(finished);
            }
        }
        let all = async {
            for finished in done {
                let _gone = finished.await;
            }
        };
        if tokio::time::timeout(STOP_MAX, all).await.is_err() {
            tracing::warn!(
                "not everything could be finished in time, the next start goes on with it"
            );
        }
        for id in 0..self.engine.n_partitions {
            if let Some(actor) = self.table.get(Id(id)) {
                let _gone = actor.drain();
            }
        }
        self.engine.streams.drain().await;
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            task.abort();
        }
    }
}

/// Keeps one partition alive.
struct Keeper {
    engine: Arc<Engine>,
    table: Arc<Table>,
    id: Id,
    stopped: watch::Receiver<bool>,
}

impl Keeper {
    async fn keep(self) {
        let mut pause = PAUSE;
        while !*self.stopped.borrow() {
            let since = Instant::now();
            match self.live().await {
                Ok(()) => {}
                Err(error) if error.is_fatal() => self.table.give_up(self.id, &error),
                Err(error) => self.table.failed(self.id, &error),
            }
            if *self.stopped.borrow() || self.table.fatal().borrow().is_some() {
                return;
            }
            if since.elapsed() > PAUSE_MAX {
                pause = PAUSE;
            }
            self.engine.meters.restarts.add(1);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Brings the partition up and returns when it is down again.
    async fn live(&self) -> Result<(), recover::Error> {
        self.table.written(self.id).await;
        let recovered = recover(&self.engine, self.id).await?;
        let (engine, table) = (self.engine.clone(), self.table.clone());
        let start = Start {
            engine,
            table,
            id: self.id,
            recovered,
        };
        let (actor, mut handle) = match Actor::spawn(None, Partition, start).await {
            Ok(spawned) => spawned,
            Err(error) => {
                self.table.failed(self.id, &error);
                return Ok(());
            }
        };
        self.table.note(self.id, "up".into());
        self.table.put(self.id, Some(actor.clone()));
        self.table.restarted();
        loop {
            tokio::select! {
                _ = &mut handle => break,
                () = tokio::time::sleep(TICK) => { let _gone = actor.cast(Message::Tick); }
            }
        }
        self.table.put(self.id, None);
        Ok(())
    }
}

async fn keep_reading(engine: Arc<Engine>, table: Arc<Table>, mut stopped: watch::Receiver<bool>) {
    // The first look waits until all are up, so that a start reads everything once.
    while !table.down().is_empty() && !*stopped.borrow() {
        tokio::select! {
            () = table.wait_for_restart() => {}
            () = tokio::time::sleep(PAUSE_MAX) => break,
            () = until_stopped(&mut stopped) => return,
        }
    }
    loop {
        tokio::select! {
            () = until_stopped(&mut stopped) => return,
            read = reader::read(&engine, &table) => if let Err(error) = read {
                tracing::warn!(%error, "the event stream cannot be read, trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    // An error says that the node is gone.
    let _gone = stopped.wait_for(|stopped| *stopped).await;
}
