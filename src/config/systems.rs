//! Systems of record the policy's lookups may ask, and the hours of teams.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use super::Settings;
use super::secret::Secret;
use crate::decide::facts::hours::{Schedule, Shift};
use crate::elsewhere::lookups::{self, Systems};

/// One system of record; without an entry, the lookups that name it are switched off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Sent as a bearer token. Absent: nothing is.
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
    /// The hosts it may be asked at, `gitlab.com`; never none.
    pub hosts: Vec<String>,
}

/// A team's weekly hours.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The time zone they are in, `America/Los_Angeles`.
    #[serde(deserialize_with = "zone")]
    #[schemars(with = "String")]
    pub time_zone: chrono_tz::Tz,
    /// What people call the zone, `PT`. Absent: its own short name at that time, such as `PST`.
    pub shown_as: Option<String>,
    /// When the team is at work: `Sun 15:00 - Fri 17:00`.
    #[serde(deserialize_with = "shifts")]
    #[schemars(with = "Vec<String>")]
    pub open: Vec<Shift>,
}

impl Settings {
    /// The teams' schedules by name.
    pub fn schedules(&self) -> BTreeMap<String, Schedule> {
        let schedule = |hours: &Hours| Schedule {
            zone: hours.time_zone,
            zone_shown: hours.shown_as.clone(),
            open: hours.open.clone(),
        };
        self.hours.iter().map(|(name, hours)| (name.clone(), schedule(hours))).collect()
    }

    /// The systems of record, their tokens read.
    ///
    /// # Errors
    /// A secret that cannot be read, or an entry without hosts.
    pub fn systems(&self, home: &Path) -> anyhow::Result<Systems> {
        let mut systems = BTreeMap::new();
        for (name, System { token, hosts }) in &self.lookups {
            if hosts.is_empty() {
                bail!("lookups.{name}.hosts is empty, so it could not be asked anywhere: give at least one");
            }
            let token = token.as_ref().map(|token| token.read(home)).transpose();
            let token = token.with_context(|| format!("lookups.{name}.token"))?;
            systems.insert(name.clone(), lookups::System { token, hosts: hosts.clone() });
        }
        Systems::new(systems).context("lookups cannot be set up")
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<chrono_tz::Tz, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "{} is no time zone; write it like \"America/Los_Angeles\"",
            super::secret::short(&text)
        ))
    })
}

fn shifts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Shift>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}
