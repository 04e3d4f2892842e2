//! Which files of `src` use which, as the compiler would read them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{ItemUse, UseTree};

/// The modules each module uses, by their paths: `decide::policy::walk`; the crate's root is empty.
pub(super) type Imports = BTreeMap<String, BTreeSet<String>>;

/// The room a module is in: the first part of its path.
pub(super) fn room(module: &str) -> &str {
    module.split("::").next().unwrap_or_default()
}

/// Of every file of the library. A module and those within it are one idea: what they use of each other does not count.
pub(super) fn of_all() -> Imports {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    collect(&source, &[], &mut files);
    let modules: BTreeSet<String> = files.keys().cloned().collect();
    files
        .iter()
        .map(|(module, text)| {
            let file = syn::parse_file(text).expect("Rust");
            let mut walk = Walk { module, modules: &modules, used: BTreeSet::new() };
            walk.visit_file(&file);
            (module.clone(), walk.used)
        })
        .collect()
}

fn collect(folder: &Path, parent: &[String], files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let own = || [parent, std::slice::from_ref(&name)].concat();
        if path.is_dir() {
            collect(&path, &own(), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
            let module = if name == "mod" || name == "lib" { parent.to_vec() } else { own() };
            files.insert(module.join("::"), std::fs::read_to_string(&path).expect("a file"));
        }
    }
}

/// One file, being read.
struct Walk<'a> {
    module: &'a str,
    modules: &'a BTreeSet<String>,
    used: BTreeSet<String>,
}

impl Walk<'_> {
    /// Notes what a path in this file leads to.
    fn note(&mut self, path: &[String]) {
        let own: Vec<&str> = self.module.split("::").filter(|part| !part.is_empty()).collect();
        let above = path.iter().take_while(|part| *part == "super").count();
        let (base, rest) = match path.first().map(String::as_str) {
            Some("crate") => (&own[..0], &path[1..]),
            Some("self") => (&own[..], &path[1..]),
            Some("super") => (&own[..own.len().saturating_sub(above)], &path[above..]),
            _ => (&own[..], path), // A module within this one, or another crate.
        };
        let whole: Vec<&str> = base.iter().copied().chain(rest.iter().map(String::as_str)).collect();
        let longest = (1..=whole.len()).rev().map(|parts| whole[..parts].join("::"));
        let Some(used) = longest.into_iter().find(|path| self.modules.contains(path)) else { return };
        let within = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"));
        if used != self.module && !within(&used, self.module) && !within(self.module, &used) {
            self.used.insert(used);
        }
    }

    fn note_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.note(&with(&name.ident)),
            UseTree::Rename(name) => self.note(&with(&name.ident)),
            UseTree::Glob(_) => self.note(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_tree(before, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if parts.len() > 1 && ["crate", "self", "super"].contains(&parts[0].as_str()) {
            self.note(&parts);
        }
        visit::visit_path(self, path);
    }
}

/// Files that use each other, in however many steps; each circle in order, and the circles too.
pub(super) fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|from| (from.as_str(), reached(imports, from))).collect();
    let circle = |of: &str| -> Vec<String> {
        let back = |to: &&&str| reached[**to].contains(of);
        reached[of].iter().filter(back).map(|&file| file.to_owned()).collect()
    };
    let all: BTreeSet<Vec<String>> = imports.keys().map(|file| circle(file)).filter(|one| one.len() > 1).collect();
    all.into_iter().collect()
}

/// Every file that is used by one, or by what it uses.
fn reached<'a>(imports: &'a Imports, from: &str) -> BTreeSet<&'a str> {
    let (mut reached, mut ahead) = (BTreeSet::new(), vec![from]);
    while let Some(file) = ahead.pop() {
        for used in imports.get(file).into_iter().flatten() {
            if reached.insert(used.as_str()) {
                ahead.push(used);
            }
        }
    }
    reached
}

#[test]
fn a_circle_is_found_and_a_line_is_none() {
    let of = |pairs: &[(&str, &str)]| {
        let mut imports = Imports::new();
        for (from, to) in pairs {
            imports.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            imports.entry((*to).to_owned()).or_default();
        }
        circles(&imports)
    };
    assert!(of(&[("a", "b"), ("b", "c")]).is_empty());
    assert_eq!(of(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]), [["a", "b", "c"]]);
}
