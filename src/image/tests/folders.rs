//! Folders of images, and their labels.

use super::*;

/// A folder with small images of these names, and labels.
fn folder(names: &[&str], labels: Option<&str>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (at, name) in names.iter().enumerate() {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, rgb(1, 1, |_, _| [at as u8; 3])).unwrap();
    }
    if let Some(text) = labels {
        std::fs::write(dir.path().join("labels.csv"), text).unwrap();
    }
    dir
}

fn open(dir: &tempfile::TempDir) -> Result<Images, Error> {
    Images::open(dir.path(), None, preset("none"), Shape::new(3, 1, 1))
}

pub(super) fn listed(images: &Images) -> Vec<(&str, Option<u32>)> {
    (0..images.len()).map(|index| (images.name(index), images.label(index))).collect()
}

#[test]
fn files_are_sorted_byte_by_byte_over_subfolders() {
    let dir = folder(
        &["b.png", "a/2.PNG", "a/10.JPEG", "Z.jpg", "a-1.png", ".hidden.png", "a/deep/x.png", "notes.txt"],
        None,
    );
    let mut images = open(&dir).unwrap();
    let names: Vec<_> = listed(&images).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Z.jpg", "a-1.png", "a/10.JPEG", "a/2.PNG", "b.png"]);
    // The content decides: these are all PNG. Lanes come in the order that is asked for.
    let lanes = images.lanes::<LANES>(&[4, 0]).unwrap();
    assert_eq!(lanes.len(), 3);
    assert_eq!(lanes[2], std::array::from_fn(|lane| [0.0, 3.0].get(lane).copied().unwrap_or(0.0)));
    assert_eq!(images.load(3).unwrap(), [1.0; 3]);
    images.truncate(2);
    assert_eq!((images.len(), images.name(1)), (2, "a-1.png"));
}

#[test]
fn labels_say_which_images_and_in_which_order() {
    let text = "file,class_index,label\nc.png,7,cat\na.png,,unknown\n";
    let images = open(&folder(&["a.png", "b.png", "c.png"], Some(text))).unwrap();
    assert_eq!(listed(&images), [("c.png", Some(7)), ("a.png", None)]);
    assert!(images.warnings()[0].contains("1 of 3 images are left out"), "{:?}", images.warnings());
    let images = open(&folder(&["x/a.png"], Some("label, file\n3, x/a.png\n"))).unwrap();
    assert_eq!((listed(&images), images.warnings()), (vec![("x/a.png", Some(3))], &[][..]));
}

#[test]
fn labels_of_another_kind_are_used_only_when_asked_for() {
    for text in ["index,label\n0,3\n", "file,label\na.png,cat\n", "file\na.png\n"] {
        let dir = folder(&["a.png"], Some(text));
        let images = open(&dir).unwrap();
        assert_eq!(listed(&images), [("a.png", None)]);
        assert!(images.warnings()[0].contains("going on without labels"), "{:?}", images.warnings());
        let path = dir.path().join("labels.csv");
        let asked = Images::open(dir.path(), Some(&path), preset("none"), Shape::new(3, 1, 1));
        assert!(matches!(asked, Err(Error::Columns { key: "file", .. })), "{asked:?}");
    }
}

#[cfg(unix)]
#[test]
fn labels_that_lead_nowhere_are_not_taken_for_none() {
    let dir = folder(&["a.png"], None);
    std::os::unix::fs::symlink("nowhere", dir.path().join("labels.csv")).unwrap();
    assert!(matches!(open(&dir), Err(Error::Io { .. })));
}

#[test]
fn wrong_labels_are_errors_with_their_line() {
    for (text, words) in [
        ("file,class_index\na.png,1\nmissing.png,2\n", ["line 3", "`missing.png`"]),
        ("file,class_index\n../a.png,1\n", ["line 2", "`../a.png`"]),
        ("file,class_index\na.png,1\na.png,1\n", ["line 3", "as in line 2"]),
        ("file,class_index\na.png,-1\n", ["line 2", "`-1`"]),
        ("file,class_index\na.png,tench\n", ["line 2", "`tench`"]),
        ("file,class_index\n", ["labels.csv", "no image is listed"]),
        ("file,class_index\na.png\n", ["labels.csv", "CSV"]),
    ] {
        let error = open(&folder(&["a.png"], Some(text))).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
    }
}

#[test]
fn folders_without_images_and_files_without_content_are_errors() {
    let message = |dir: &tempfile::TempDir| open(dir).and_then(|images| images.load(0)).unwrap_err().to_string();
    let dir = folder(&[], None);
    assert!(message(&dir).contains("no image in the folder"));
    std::fs::write(dir.path().join("a.jpg"), "").unwrap();
    assert!(message(&dir).contains("a.jpg: an empty file"));
    std::fs::write(dir.path().join("a.jpg"), "GIF89a").unwrap();
    assert!(message(&dir).contains("neither JPEG nor PNG"));
    let nowhere = Images::open(&dir.path().join("nowhere"), None, preset("none"), Shape::new(3, 1, 1));
    assert!(matches!(nowhere, Err(Error::Io { .. })));
}
