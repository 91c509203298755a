# SPDX-License-Identifier: Apache-2.0
"""coverage.py SOURCES BUILD JOBS [PAGE]: lines of include/ and src/ that no run of an instrumented build has reached.

Asks gcov about every object in BUILD, adds up what objects say about the same line (headers are in many), and prints the files, the
least covered first, each with its lines; then the uncovered lines that report an error, which are the error paths without a test. PAGE names
those that have none for a reason, in lines "- `src/file.cpp`: `the line that throws`: the reason". The exit code is 1 if an error path
is neither tested nor named, or one is named that is tested or not there any more."""
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

# A line that throws or catches, returns an error number, or calls one of the functions that do nothing but throw.
ERROR_PATH = re.compile(r"\bthrow\b|\bcatch\b|\breturn -?E[A-Z0-9]{2,}\b|\b(fail|fail_file|refuse|malformed|does_not_fit|out_of_range|throw_\w+)\(")


def lines_of_object(notes, sources):
    """{file: {line: runs}} of one object; of its notes alone if it never ran."""
    data = notes.with_suffix(".gcda")
    text = subprocess.run(["gcov", "--json-format", "--stdout", str(data if data.exists() else notes)], capture_output=True,
                          cwd=notes.parent, check=True).stdout
    found = {}
    for document in text.splitlines():
        report = json.loads(document)
        for file in report["files"]:
            path = pathlib.Path(report["current_working_directory"], file["file"]).resolve()
            if path.is_relative_to(sources / "include") or path.is_relative_to(sources / "src"):
                lines = found.setdefault(str(path.relative_to(sources)), {})
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[number] = lines.get(number, 0) + line["count"]
    return found


def total(sources, build, jobs):
    """{file: {line: runs}} of all objects."""
    files = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(lambda notes: lines_of_object(notes, sources), sorted(build.rglob("*.gcno"))):
            for file, lines in found.items():
                of_file = files.setdefault(file, {})
                for number, runs in lines.items():
                    of_file[number] = of_file.get(number, 0) + runs
    return {file: lines for file, lines in files.items() if lines}


def ranges(numbers, known):
    """12-15 18: uncovered lines; those between which no other line has code make one range."""
    out = []
    for number in numbers:
        if out and not any(line in known for line in range(out[-1][1] + 1, number)):
            out[-1][1] = number
        else:
            out.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def untested(sources, uncovered):
    """[(file, number, the line's text)] of the error paths."""
    for file in sorted(uncovered):
        text = (sources / file).read_text().splitlines()
        for number in uncovered[file]:
            line = text[number - 1].strip()
            if ERROR_PATH.search(line):
                yield file, number, line


def report_errors(paths, page):
    """@return whether the page names them, and no others"""
    named = set(re.findall(r"^- `(\S+)`: `(.+?)`: \S", page, re.MULTILINE))
    unnamed = [path for path in paths if (path[0], path[2]) not in named]
    stale = sorted(named - {(file, line) for file, _, line in paths})
    print("\nerror paths that no test reaches:")
    for file, number, line in unnamed:
        print(f"{file}:{number}: {line}")
    print(f"{len(unnamed)}, and {len(paths) - len(unnamed)} that are named")
    for file, line in stale:
        print(f"named but tested, or not there: {file}: {line}")
    return not unnamed and not stale


def main():
    sources, build, jobs = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    page = pathlib.Path(sys.argv[4]).read_text() if len(sys.argv) > 4 else ""
    files = total(sources, build, jobs)
    uncovered = {file: sorted(n for n, runs in lines.items() if runs == 0) for file, lines in files.items()}
    covered = sum(len(lines) - len(uncovered[file]) for file, lines in files.items())
    count = sum(len(lines) for lines in files.values())
    for file in sorted(files, key=lambda file: (-len(uncovered[file]) / len(files[file]), file)):
        if uncovered[file]:
            part = 100 * (1 - len(uncovered[file]) / len(files[file]))
            reached = set(files[file]) - set(uncovered[file])
            print(f"{part:5.1f} % of {len(files[file]):4} {file}: {ranges(uncovered[file], reached)}")
    known = report_errors(list(untested(sources, uncovered)), page)
    print(f"\n{covered} of {count} lines covered, {100 * covered / max(count, 1):.1f} %, in {len(files)} files")
    sys.exit(0 if known or not page else 1)


main()
