//! The users of `--enrich` as a datasource besides the tweets, which includes users without a
//! tweet.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::hop::DruidHop;
use super::setup::dimensions;
use crate::druid::{USERS_MAX_BYTES, UsersTable};
use crate::enrich::Enrichment;
use crate::options::UsersInto;
use crate::pipeline::error::ReplayError;
use crate::report::DruidUsers;

impl DruidHop<'_> {
    /// Loads the table of users, if there is one, and waits until it can be queried.
    pub(crate) fn load_users(
        &self,
        enrichment: Option<&Enrichment>,
        stop: &AtomicBool,
        say: &dyn Fn(&str),
    ) -> Result<Option<DruidUsers>, ReplayError> {
        let Some(enrichment) = enrichment else { return Ok(None) };
        let datasource = match &self.choice.users {
            UsersInto::Nowhere => return Ok(None),
            UsersInto::Named(name) => name.clone(),
            UsersInto::Beside => format!("{}_users", self.datasource),
        };
        let rows = enrichment.rows(self.run.run);
        if rows.len() > USERS_MAX_BYTES {
            let (users, most) = (rows.len() >> 20, USERS_MAX_BYTES >> 20);
            return Err(ReplayError::Options(format!(
                "the table of users is {users} MiB, and a task of Druid's takes {most}: --druid-users off leaves it out"
            )));
        }
        let table = UsersTable {
            datasource: &datasource,
            columns: &dimensions(Some(enrichment)),
            rows: &String::from_utf8_lossy(&rows),
            run: self.run.run,
            count: enrichment.users(),
        };
        let since = Instant::now();
        say(&format!("waiting for {} users to be loaded into {datasource}", table.count));
        let waits = |words: &str| say(&format!("waiting {words}"));
        table.load(self.supervisor.client(), self.choice.timeout, stop, &waits)?;
        Ok(Some(DruidUsers { rows: table.count, loaded_after_s: since.elapsed().as_secs_f64(), datasource }))
    }
}
