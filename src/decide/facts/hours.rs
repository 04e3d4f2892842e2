//! When a team is at work, by its weekly schedule in its own time zone.

use chrono::{DateTime, Datelike, Days, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// A team's week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The time zone its hours are in.
    pub zone: Tz,
    /// What people call the zone: `PT`. Absent: its own short name at that time, such as `PST`.
    pub zone_shown: Option<String>,
    /// When the team is at work.
    pub open: Vec<Shift>,
}

/// A stretch of the week, from a day and time until another; it may go past the week's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Its first moment.
    pub from: (Weekday, NaiveTime),
    /// The first moment after it.
    pub until: (Weekday, NaiveTime),
}

/// Whether a team is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is, until then.
    Open(DateTime<Tz>),
    /// It is back then.
    Closed(DateTime<Tz>),
}

impl std::str::FromStr for Shift {
    type Err = String;

    /// Reads `Sun 15:00 - Fri 17:00`.
    fn from_str(text: &str) -> Result<Shift, String> {
        let side = |side: &str| {
            let (day, time) = side.trim().split_once(' ')?;
            Some((day.parse::<Weekday>().ok()?, NaiveTime::parse_from_str(time.trim(), "%H:%M").ok()?))
        };
        let read = text.split_once('-').and_then(|(from, until)| Some((side(from)?, side(until)?)));
        let shift = read.map(|(from, until)| Shift { from, until }).filter(|shift| shift.from != shift.until);
        shift.ok_or_else(|| format!("`{text}` is no stretch of a week; write it like \"Sun 15:00 - Fri 17:00\""))
    }
}

impl Schedule {
    /// Whether the team is at work at `now`; none for a schedule without shifts.
    ///
    /// A time that the clocks skip is taken an hour later, one they repeat at its first coming.
    pub fn standing(&self, now: DateTime<Utc>) -> Option<Standing> {
        let local = now.with_timezone(&self.zone).naive_local();
        let monday = local.date() - Days::new(u64::from(local.weekday().num_days_from_monday()));
        let mut shifts = Vec::new();
        for shift in &self.open {
            for week in [-7, 0, 7] {
                let at = |(day, time): (Weekday, NaiveTime)| {
                    (monday + TimeDelta::days(week + i64::from(day.num_days_from_monday()))).and_time(time)
                };
                let (from, mut until) = (at(shift.from), at(shift.until));
                if until <= from {
                    until += TimeDelta::days(7);
                }
                shifts.push((self.moment(from)?, self.moment(until)?));
            }
        }
        let open = shifts.iter().filter(|(from, until)| *from <= now && now < *until).map(|(_, until)| *until).max();
        let back = shifts.iter().filter(|(from, _)| *from > now).map(|(from, _)| *from).min();
        open.map(Standing::Open).or(back.map(Standing::Closed))
    }

    /// How the team stands, for people: `at work until Fri 17:00 PT`, `away, back Sunday 15:00 PT`.
    pub fn said(&self, standing: Standing) -> String {
        let zone = |at: DateTime<Tz>| self.zone_shown.clone().unwrap_or_else(|| at.format("%Z").to_string());
        match standing {
            Standing::Open(until) => format!("at work until {} {}", until.format("%a %H:%M"), zone(until)),
            Standing::Closed(back) => format!("away, back {} {}", back.format("%A %H:%M"), zone(back)),
        }
    }

    fn moment(&self, local: NaiveDateTime) -> Option<DateTime<Tz>> {
        let there = self.zone.from_local_datetime(&local).earliest();
        there.or_else(|| self.zone.from_local_datetime(&(local + TimeDelta::hours(1))).earliest())
    }
}
