//! The start that all services share: what `start` in a room's `lib.rs` begins and ends with.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use crate::{
    Clock, Context, Database, Migrations, Running, ServiceConfig, Shutdown, Tasks,
    auth::{Authenticator, Identity, Intake},
    client::Neighbors,
    gauges::{self, Gauges},
    listing::PageTokenKey,
    operations::Operations,
    server::Server,
    tls::Tls,
};

/// A service on its way up: connected, migrated, its port taken; nothing runs yet.
#[derive(Debug)]
pub struct Service {
    /// Its name, e.g. `intake`.
    pub name: &'static str,
    /// Its database.
    pub database: Database,
    /// Where it takes the time from.
    pub clock: Clock,
    /// Seals its page tokens and cursors.
    pub page_tokens: PageTokenKey,
    /// The other services.
    pub neighbors: Neighbors,
    /// Its gRPC server; add services to it.
    pub server: Server,
    /// Its long work; [`crate::operations::run`] serves it.
    pub operations: Operations,
    /// What is measured of its state; add looks at the room's own.
    pub gauges: Gauges,
    /// Its tasks; add ticks and consumers to them.
    pub tasks: Tasks,
    /// Ends its tasks.
    pub shutdown: Shutdown,
    /// Where else it listens, by what is served there; add listeners of the room's own.
    pub others: BTreeMap<&'static str, SocketAddr>,
}

impl Service {
    /// Everything that comes before the room: port, database, migrations, keys.
    ///
    /// # Errors
    /// Whatever keeps the service from starting.
    pub async fn prepare(
        name: &'static str,
        config: &ServiceConfig,
        context: Context,
        migrations: Vec<Migrations>,
    ) -> anyhow::Result<Self> {
        crate::install_crypto();
        let authenticator = Authenticator::new(&config.auth, context.clock.clone()).await?;
        let tls = config.tls.as_ref().map(Tls::open).transpose().context("service.tls")?;
        let mut server = Server::bind(name, config, authenticator, tls.clone()).await?;
        let database = Database::connect(&config.database, migrations).await?;
        let identity = Identity::new(name, &config.identity, context.clock.clone())?;
        let neighbors = Neighbors::new(&config.neighbors, identity, tls);
        if neighbors.has("intake") {
            server.look_up_api_keys_in(Arc::new(Intake(neighbors.connect("intake")?)));
        }
        let shutdown = context.shutdown.child();
        Ok(Self {
            name,
            database,
            operations: Operations::new(context.clock.clone()),
            clock: context.clock,
            page_tokens: PageTokenKey::new(config.token_secret.expose_secret()),
            neighbors,
            server,
            gauges: Gauges::default(),
            tasks: Tasks::new(shutdown.clone(), config.limits.patience()),
            shutdown,
            others: BTreeMap::new(),
        })
    }

    /// Everything that comes after it: the server takes calls, gauges are looked at, old answers are forgotten.
    ///
    /// # Errors
    /// Where the server cannot be built.
    pub async fn run(mut self) -> anyhow::Result<Running> {
        crate::repeat::forget_old_answers(&mut self.tasks, self.database.clone(), self.clock.clone());
        gauges::add_own(&mut self.gauges, self.name, &self.database, &self.clock);
        self.gauges.start(&mut self.tasks);
        let (address, others) = self.server.serve(&mut self.tasks, self.shutdown.clone()).await?;
        let mut running = Running::new(self.name, address, self.tasks, self.shutdown);
        running.others = self.others;
        running.others.extend(others);
        Ok(running)
    }
}
