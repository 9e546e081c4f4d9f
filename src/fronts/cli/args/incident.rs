//! `incident …`: the register of security incidents (I3).

use clap::{Args, Subcommand};

/// `incident …`
#[derive(Subcommand, Debug)]
pub enum Incident {
    /// Put one on record; it gets the next number
    Open {
        /// In a few words
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// What happened; no personal data
        #[arg(long, value_name = "TEXT")]
        description: String,
        /// What it threatens
        #[arg(long, value_name = "PROPERTY[,PROPERTY…]", value_delimiter = ',', required = true, value_parser = ["reliability", "confidentiality", "availability"])]
        threatens: Vec<String>,
        /// Where it comes from
        #[arg(long, value_name = "WHERE", value_parser = ["inside", "outside"])]
        origin: String,
        /// How grave it is
        #[arg(long, value_name = "HOW", value_parser = ["low", "medium", "high", "critical"])]
        severity: String,
        /// Whether personal data are involved; unknown is taken as yes
        #[arg(long, value_name = "WHETHER", value_parser = ["no", "yes", "unknown"])]
        personal_data: String,
        /// The other facts
        #[command(flatten)]
        facts: Box<IncidentFacts>,
    },
    /// Note what was found, or what was done against it
    Note {
        /// Number of the incident
        number: u32,
        /// What
        text: String,
        /// It is something that was done against it
        #[arg(long)]
        measure: bool,
    },
    /// Say otherwise what is on record; what is left out stays. Lists take the place of the present ones
    Change {
        /// Number of the incident
        number: u32,
        /// In a few words
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// What happened; no personal data
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// What it threatens
        #[arg(long, value_name = "PROPERTY[,PROPERTY…]", value_delimiter = ',', value_parser = ["reliability", "confidentiality", "availability"])]
        threatens: Vec<String>,
        /// Where it comes from
        #[arg(long, value_name = "WHERE", value_parser = ["inside", "outside"])]
        origin: Option<String>,
        /// How grave it is
        #[arg(long, value_name = "HOW", value_parser = ["low", "medium", "high", "critical"])]
        severity: Option<String>,
        /// Whether personal data are involved
        #[arg(long, value_name = "WHETHER", value_parser = ["no", "yes", "unknown"])]
        personal_data: Option<String>,
        /// It concerns no organisation, product or delivery, save those that are named here
        #[arg(long)]
        concerns_none: bool,
        /// The other facts
        #[command(flatten)]
        facts: Box<IncidentFacts>,
    },
    /// Put on record what was reported to the authority, or why that is not needed, or that persons were told
    Report {
        /// Number of the incident
        number: u32,
        /// Under which reference the authority has it
        #[arg(long, value_name = "TEXT", required_unless_present_any = ["not_needed", "persons_told"])]
        reference: Option<String>,
        /// Why the authority need not be told
        #[arg(long, value_name = "WHY", conflicts_with_all = ["reference", "persons_told"])]
        not_needed: Option<String>,
        /// How those whose data are involved were told (GDPR art. 34)
        #[arg(long, value_name = "HOW", conflicts_with = "reference")]
        persons_told: Option<String>,
        /// When [default: now]
        #[arg(long, value_name = "MOMENT", conflicts_with = "not_needed")]
        at: Option<String>,
    },
    /// It goes no further
    Contain {
        /// Number of the incident
        number: u32,
        /// By what
        text: String,
    },
    /// Close it
    Close {
        /// Number of the incident
        number: u32,
        /// What came of it
        text: String,
    },
    /// Open it again
    Reopen {
        /// Number of the incident
        number: u32,
        /// Why
        text: String,
    },
    /// List them, the newest first
    List {
        /// Only these; pending: a report to the authority is still to be decided on
        #[arg(long, value_name = "STATE", value_parser = ["open", "contained", "closed", "pending"])]
        state: Option<String>,
    },
    /// Show one with everything that became of it
    Show {
        /// Number of the incident
        number: u32,
    },
}

/// Facts of an incident that may be left out.
#[derive(Args, Debug)]
pub struct IncidentFacts {
    /// When it was discovered: the 72 hours run from here [default when opened: now]
    #[arg(long, value_name = "MOMENT")]
    pub discovered: Option<String>,
    /// Since when it was so; `unknown` takes it back
    #[arg(long, value_name = "MOMENT")]
    pub from: Option<String>,
    /// Until when it was so; `unknown` takes it back
    #[arg(long, value_name = "MOMENT")]
    pub until: Option<String>,
    /// An organisation that it concerns
    #[arg(long = "organisation", value_name = "CODE")]
    pub organisations: Vec<String>,
    /// A product that it concerns
    #[arg(long = "product", value_name = "CODE")]
    pub products: Vec<String>,
    /// A delivery that it concerns
    #[arg(long = "delivery", value_name = "ID")]
    pub deliveries: Vec<String>,
}
