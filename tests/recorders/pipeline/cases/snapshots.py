"""Folders, for the rules on what is left out and for hashes."""
import dataclasses


@dataclasses.dataclass
class Folder:
    name: str
    files: dict
    changes: dict | None = None


def folder(name, *names, changes=None, **texts):
    """Files with their own name as content, then files with the given text; `amlignore` and `gitignore` get their dot."""
    files = {it: None if it.endswith("/") else it + "\n" for it in names}
    ignores = {f".{key}": text for key, text in texts.items()}
    return Folder(name, {**{it.rstrip("/"): text for it, text in files.items()}, **ignores}, changes)


CASES = [
    folder("one-file", "train.py"),
    Folder("one-empty-file", {"train.py": ""}),
    folder("nested", "train.py", "lib/a.py", "lib/b/c.py", "lib-more/d.py", "lib.py"),
    folder("names-sort-by-code-point", "B.py", "a.py", "_.py", "Z/x", "a/x", "a-b", "a.b", "a b", "é", "z", "数", "🍷"),
    folder("same-content-under-another-name", "other.py"),
    folder("empty-folders", "train.py", "empty/", "deep/er/"),
    folder("hidden-files-and-no-defaults", "train.py", ".hidden", ".git/config", ".azureml/config.json", "__pycache__/a.pyc",
           ".ipynb_checkpoints/x", "outputs/model", "azureml-logs/log"),
    folder("amlignore", "train.py", "a.log", "sub/b.log", amlignore="*.log\n"),
    folder("gitignore", "train.py", "a.log", "sub/b.log", gitignore="*.log\n"),
    folder("amlignore-hides-gitignore", "a.log", "b.tmp", amlignore="*.tmp\n", gitignore="*.log\n"),
    folder("empty-amlignore-hides-gitignore", "a.log", amlignore="", gitignore="*.log\n"),
    Folder("only-the-top-ignore-file-counts", {"sub/.amlignore": "*\n", "sub/.gitignore": "*\n", "sub/a.log": "x\n", "b.log": "x\n"}),
    folder("ignore-file-ignores-itself", "train.py", amlignore=".amlignore\n"),
    folder("folder-by-slash-gives-a-file-back", "d/keep.txt", "d/lost.txt", "d/deep/lost.txt", "train.py", amlignore="d/\n!d/keep.txt\n"),
    folder("folder-by-name-gives-nothing-back", "e/keep.txt", "e/lost.txt", "train.py", amlignore="e\n!e/keep.txt\n"),
    folder("folder-by-star-gives-a-file-back", "d/keep.txt", "d/lost.txt", amlignore="d/*\n!d/keep.txt\n"),
    folder("double-stars", "a/x", "a/b/x", "a/b/c/x", "x", "y/foo/z", "foo", amlignore="a/**/x\n**/foo\n"),
    folder("double-star-at-the-end", "a/x", "a/b/x", "ab", amlignore="a/**\n"),
    folder("anchored", "a", "sub/a", "b/c", "sub/b/c", amlignore="/a\nb/c\n"),
    folder("wildcards", "a1", "a2", "ab", "a", "b.c.d", "sub/a9", amlignore="a[0-9]\n?.c.*\n"),
    folder("negated-class", "a1", "ab", amlignore="a[!0-9]\n"),
    folder("wildcards-match-any-character", "a.csv", "ä.csv", "数.csv", "🍷.csv", "ab.csv", amlignore="?.csv\n"),
    folder("classes-match-any-character", "a", "数", "é", "ö", "x", "-", "]", "ab", "x5y/z", amlignore="[!a-z]\n!]\nx[!0]y\n![é-ü]\n[]x]\n"),
    folder("classes-match-slashes", "a/b", "a-b", "ab", amlignore="a[!x]b\n"),
    folder("carriage-returns-end-lines", "a.log", "b.tmp", "c.py", amlignore="*.log\r*.tmp\r\n"),
    folder("braces-and-brackets-are-plain", "{a,b}", "a", "b", "x[", amlignore="{a,b}\nx[\n"),
    folder("comments-blanks-and-escapes", "#a", "!b", "c d", "trailing", amlignore="# comment\n\n   \n\\#a\n\\!b\nc d\ntrailing   \n"),
    folder("windows-line-ends", "a.log", "b.py", amlignore="*.log\r\n\r\n"),
    folder("last-rule-wins", "a.txt", "b.txt", amlignore="*.txt\n!a.txt\n*.txt\n!b.txt\n"),
    folder("everything-but", "train.py", "a.log", "sub/b.py", amlignore="*\n!*.py\n!sub\n"),
    folder("slash-alone", "a", amlignore="/\n"),
    folder("case-matters", "A.LOG", "a.log", amlignore="*.log\n"),
    folder("unicode-rule", "größe.csv", "a.csv", amlignore="größ*\n"),
    folder("everything-ignored", "a", "b/c", amlignore="*\n"),
    Folder("links-are-followed", {"real/a.txt": "a\n", "file.txt": "f\n", "link-to-file": {"link": "file.txt"}, "link-to-folder": {"link": "real"}}),
    Folder("changed-added-and-removed", {"same.py": "1\n", "changed.py": "1\n", "removed.py": "1\n", "lib/same.py": "1\n"},
           changes={"changed.py": "2\n", "removed.py": None, "lib/added.py": "1\n"}),
    Folder("nothing-changed", {"same.py": "1\n"}, changes={}),
    Folder("only-removed", {"same.py": "1\n", "removed.py": "1\n"}, changes={"removed.py": None}),
]
