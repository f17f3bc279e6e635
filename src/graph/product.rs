//! Products of densities, and what is left of one where variates are integrated out (spec/hs3.md, eq. 21).

use super::density::{Density, Range};
use super::maker::{Maker, fail, unsupported};
use crate::document::hs3::{Distribution, Normalization};
use crate::finding::{Result, quote};
use crate::rule;
use std::collections::{BTreeSet, HashMap};

/// Factors that are normalised together, over some of their variates.
struct Group<'d> {
    variates: Vec<usize>,
    members: Vec<&'d Distribution>,
    over: Vec<usize>,
}

impl<'d> Maker<'d> {
    /// Factors without variates are constraints; of the others, those that share variates are normalised together, and
    /// the rest one by one (D15). Groups of `normalization` are normalised over the variates that they say, given all
    /// others; the variates that are left are those of the other factors.
    pub(super) fn product(
        &mut self,
        factors: &[String],
        normalization: &[Normalization],
        over: &[Range],
        at: &str,
    ) -> Result<Density> {
        let (mut groups, taken) = self.conditional_groups(factors, normalization, at)?;
        let mut result = Density::plain(self.builder.constant(0.0));
        let mut others: Vec<Group> = Vec::new();
        for (i, name) in factors.iter().enumerate().filter(|(i, _)| !taken.contains(i)) {
            let factor = self.distribution_named(name, at)?;
            let variates = self.variates_of(factor)?;
            if variates.is_empty() {
                result.constraints.push(name.clone());
                continue;
            }
            let claimed = |o: &usize| groups.iter().any(|group| group.over.contains(o));
            let free: Vec<usize> = variates.iter().copied().filter(|o| !claimed(o)).collect();
            if free.is_empty() {
                let found = format!("{} without a variate of its own", quote(name));
                return unsupported(&format!("{at}/factors/{i}"), found, "a factor that is normalised over a variate");
            }
            join(&mut others, Group { variates, members: vec![factor], over: free });
        }
        groups.extend(others);
        let mut left: Vec<Range> = over.to_vec();
        for group in groups {
            let inside: Vec<Range> = over.iter().filter(|(o, ..)| group.over.contains(o)).copied().collect();
            left.retain(|(o, ..)| !group.over.contains(o));
            let density = match group.members.as_slice() {
                [single] => self.density(single, &inside)?,
                several => self.joint(several, inside, at)?,
            };
            result.log = self.builder.add(result.log, density.log);
            if density.rate.is_some() && result.rate.is_some() {
                return fail(&rule::HS3_COEFFICIENTS, at, "two extended factors", "at most one");
            }
            result.rate = result.rate.or(density.rate);
            result.constraints.extend(density.constraints);
        }
        let width: f64 = left.iter().map(|(_, low, high)| (high - low).ln()).sum();
        result.log = self.builder.shift(result.log, -width);
        Ok(result)
    }

    /// The groups that `normalization` says, and which factors they take. No factor and no variate is in two of them.
    fn conditional_groups(
        &mut self,
        factors: &[String],
        normalization: &[Normalization],
        at: &str,
    ) -> Result<(Vec<Group<'d>>, BTreeSet<usize>)> {
        let (mut groups, mut taken): (Vec<Group>, BTreeSet<usize>) = (Vec::new(), BTreeSet::new());
        // Each name with its places, the last first.
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (i, name) in factors.iter().enumerate().rev() {
            places.entry(name.as_str()).or_default().push(i);
        }
        for (n, each) in normalization.iter().enumerate() {
            let at = format!("{at}/normalization/{n}");
            let mut group = Group { variates: Vec::new(), members: Vec::new(), over: Vec::new() };
            for name in &each.factors {
                let Some(i) = places.get_mut(name.as_str()).and_then(Vec::pop) else {
                    let expected = "a factor of the product that no other group has";
                    return fail(&rule::HS3_UNRESOLVED, &format!("{at}/factors"), quote(name), expected);
                };
                taken.insert(i);
                let factor = self.distribution_named(name, &at)?;
                group.variates.extend(self.variates_of(factor)?);
                group.members.push(factor);
            }
            for name in &each.over {
                let known = self.ranges.contains_key(name);
                let index = self.builder.observable_index(name);
                let taken = groups.iter().any(|other| other.over.contains(&index));
                if !known || taken || !group.variates.contains(&index) {
                    let expected = "a variate of these factors over which no other group is normalised";
                    return fail(&rule::HS3_UNRESOLVED, &format!("{at}/over"), quote(name), expected);
                }
                group.over.push(index);
            }
            if group.over.is_empty() || group.members.is_empty() {
                return fail(&rule::HS3_COMPONENT, &at, "a group of nothing", "factors, and variates in over");
            }
            groups.push(group);
        }
        Ok((groups, taken))
    }

    /// Factors of the same variates: their product is normalised as one.
    fn joint(&mut self, members: &[&'d Distribution], inside: Vec<Range>, at: &str) -> Result<Density> {
        let mut logs = Vec::with_capacity(members.len());
        for member in members {
            let shape = self.deeper(at, |maker| maker.shape(member))?;
            logs.push(self.log_of(shape));
        }
        let log = self.builder.sum(&logs);
        let plain = self.builder.exp(log);
        let integral = self.integrate(plain, inside, at)?;
        let norm = self.builder.log(integral);
        Ok(Density::plain(self.builder.subtract(log, norm)))
    }

    /// ∫ of a density over some of its variates, in their ranges of `default_domain`.
    pub(super) fn projected(&mut self, pdf: &str, observables: &[String], over: &[Range], at: &str) -> Result<Density> {
        let inner = self.distribution_named(pdf, at)?;
        let mut ranges = Vec::with_capacity(observables.len());
        for (i, name) in observables.iter().enumerate() {
            let here = format!("{at}/observables/{i}");
            if self.ranges.contains_key(name) {
                return unsupported(&here, format!("{}, a variate of the data", quote(name)), "other variates");
            }
            match self.range_in_domains(name, None) {
                Some((low, high)) if low.is_finite() && high.is_finite() => {
                    ranges.push((name.clone(), (low, high)));
                }
                _ => return fail(&rule::HS3_RANGE, &here, format!("no range of {}", quote(name)), "a finite range"),
            }
        }
        let gone: Vec<Range> =
            ranges.iter().map(|(name, (low, high))| (self.builder.observable_index(name), *low, *high)).collect();
        let all: Vec<Range> = over.iter().chain(&gone).copied().collect();
        self.with_variates(ranges, |maker| {
            let density = maker.density(inner, &all)?;
            let plain = maker.builder.exp(density.log);
            let integral = maker.integrate(plain, gone, at)?;
            Ok(Density { log: maker.builder.log(integral), ..density })
        })
    }
}

/// One group for all that shares a free variate with a new one.
fn join<'d>(groups: &mut Vec<Group<'d>>, mut group: Group<'d>) {
    let (joined, apart): (Vec<_>, Vec<_>) =
        std::mem::take(groups).into_iter().partition(|other| other.over.iter().any(|o| group.over.contains(o)));
    for other in joined {
        group.variates.extend(other.variates);
        group.over.extend(other.over);
        group.members.splice(0..0, other.members);
    }
    *groups = apart;
    groups.push(group);
}
