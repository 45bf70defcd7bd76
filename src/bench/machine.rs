//! The machine: what it is, and whether it was busy.

use std::fs;

use super::MachineState;

/// Returns the processor's name.
#[must_use]
pub fn processor() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = values(&about, "model name").next().unwrap_or(std::env::consts::ARCH);
    name.to_owned()
}

/// Returns how many processors this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the processes that ran or waited in the last minute, on average.
#[must_use]
pub fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Returns the values of one key of `/proc/cpuinfo`.
fn values<'a>(about: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = about.lines().filter(move |line| line.starts_with(key));
    lines.filter_map(|line| line.split_once(':')).map(|(_, value)| value.trim())
}

/// Watches the machine from the start of a bench.
#[derive(Debug)]
pub struct Watch {
    load: Option<f64>,
    mhz: Option<f64>,
    ticks: Option<Ticks>,
}

/// Counts the time of all processors since the machine's start.
#[derive(Clone, Copy, Debug)]
struct Ticks {
    all: u64,
    stolen: u64,
}

impl Ticks {
    fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let fields = stat.lines().next()?.split_whitespace().skip(1);
        // The last two, those of guests, are part of the first two.
        let ticks: Vec<u64> = fields.take(8).filter_map(|field| field.parse().ok()).collect();
        Some(Self { all: ticks.iter().sum(), stolen: *ticks.get(7)? })
    }
}

impl Watch {
    /// Looks at the machine before the bench.
    #[must_use]
    pub fn start() -> Self {
        Self { load: load(), mhz: slowest_mhz(), ticks: Ticks::now() }
    }

    /// Says what to know before one believes a figure; nothing of a quiet machine.
    #[must_use]
    pub fn busy(&self) -> Option<String> {
        let (load, cores) = (self.load?, cores());
        #[expect(clippy::cast_precision_loss, reason = "cores are few")]
        let much = load > 0.3 * cores as f64;
        much.then(|| {
            format!("the machine was busy before the bench: load {load:.2} on {cores} cores")
        })
    }

    /// Says how the machine was; the bench ends here.
    #[must_use]
    pub fn end(&self) -> MachineState {
        let steal_percent = self.ticks.zip(Ticks::now()).map(|(before, now)| {
            #[expect(clippy::cast_precision_loss, reason = "below 2^52")]
            let share = (now.stolen - before.stolen) as f64 / (now.all - before.all).max(1) as f64;
            100.0 * share
        });
        let mhz = self.mhz.zip(slowest_mhz()).map(|(before, after)| [before, after]);
        let stolen = steal_percent.filter(|percent| *percent > 2.0);
        let stolen = stolen.map(|percent| format!("the host took {percent:.1} % of the time away"));
        let warnings = self.busy().into_iter().chain(stolen).collect();
        MachineState { load: self.load, steal_percent, mhz, warnings }
    }
}

impl MachineState {
    /// Says that the processor was slowed down during the bench, if it was.
    #[must_use]
    pub fn throttled(&self) -> Option<String> {
        let [before, after] = self.mhz?;
        (after < 0.85 * before).then(|| {
            format!("the processor was slowed down from {before:.0} to {after:.0} MHz: the figures are too high")
        })
    }
}

fn slowest_mhz() -> Option<f64> {
    let about = fs::read_to_string("/proc/cpuinfo").ok()?;
    values(&about, "cpu MHz").filter_map(|mhz| mhz.parse().ok()).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slower_processor_and_a_busy_machine_are_named() {
        let state = MachineState { mhz: Some([3000.0, 2000.0]), ..MachineState::default() };
        assert!(state.throttled().unwrap().contains("from 3000 to 2000 MHz"));
        let steady = MachineState { mhz: Some([3000.0, 2900.0]), ..MachineState::default() };
        assert_eq!(steady.throttled(), None);
        let watch = Watch { load: Some(500.0), mhz: None, ticks: None };
        assert!(watch.busy().unwrap().contains("load 500.00"));
        assert_eq!(watch.end().warnings.len(), 1);
        assert_eq!(Watch { load: Some(0.0), ..watch }.busy(), None);
    }
}
