//! The two rules: nothing uses a higher room, and files of one room do not use one another in a circle.

use std::collections::{BTreeMap, VecDeque};

use super::source::Uses;

/// The top-level module that a file belongs to.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// Uses of a room that is not lower, and files of rooms that are not listed.
pub fn wrong_directions(uses: &Uses, rooms: &[&[&str]]) -> Vec<String> {
    let height = |file: &str| rooms.iter().position(|level| level.contains(&room(file)));
    let mut wrong = Vec::new();
    for (file, used) in uses.iter().filter(|(file, _)| *file != "lib.rs") {
        let Some(own) = height(file) else {
            wrong.push(format!("{file} is in no room of the list"));
            continue;
        };
        let others = used.iter().filter(|used| room(used) != room(file));
        let higher = others.filter(|used| height(used).is_none_or(|theirs| theirs >= own));
        wrong.extend(higher.map(|used| format!("{file} uses {used}, which is not in a lower room")));
    }
    wrong
}

/// One circle through every file that is on one, without those through a file that an earlier circle names.
pub fn circles(uses: &Uses) -> Vec<String> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    for file in uses.keys() {
        if !found.iter().flatten().any(|known| known == file) {
            found.extend(shortest_circle(uses, file));
        }
    }
    found.iter().map(|circle| format!("{} -> {}", circle.join(" -> "), circle[0])).collect()
}

/// The files of the shortest way from a file back to itself inside its room.
fn shortest_circle<'a>(uses: &'a Uses, start: &'a str) -> Option<Vec<&'a str>> {
    let mut from = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        let used = uses.get(file).into_iter().flatten().filter(|used| room(used) == room(start));
        for used in used.map(String::as_str) {
            if used == start {
                let mut circle = vec![file];
                while let Some(&before) = from.get(circle[circle.len() - 1]) {
                    circle.push(before);
                }
                circle.reverse();
                return Some(circle);
            }
            if !from.contains_key(used) {
                from.insert(used, file);
                waiting.push_back(used);
            }
        }
    }
    None
}
