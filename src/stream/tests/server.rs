//! A real nats-server in a directory of its own.

use std::path::Path;

use tempfile::TempDir;

use crate::stream::server::{NatsServer, Settings, find_program};
use crate::stream::{Connect, JetStream, Layout, Options};

pub struct Real {
    pub server: NatsServer,
    _dir: TempDir,
}

impl Real {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let program = find_program(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let dir = TempDir::new().unwrap();
        let mut settings = Settings::new(program, dir.path().into());
        settings.max_payload = 1_024 * 1_024;
        change(&mut settings);
        let server = NatsServer::start(settings).await.unwrap();
        Self { server, _dir: dir }
    }

    pub fn options(&self) -> Options {
        Options {
            connect: Connect {
                urls: vec![self.server.url()],
                ..Connect::default()
            },
            layout: Layout::new("attune", 8).unwrap(),
            ..Options::default()
        }
    }

    pub async fn connect(&self) -> JetStream {
        JetStream::connect(self.options()).await.unwrap()
    }
}
