import Flow
import LogReport

/// A seed and a file: its lines are the same in any split, and a report of them can be written.
func checkLogs(_ input: UnsafeRawBufferPointer) throws {
    guard let seed = input.first else { return }
    let file = input.from(1)
    let whole = read(file, most: max(1, file.count), seed: seed), cut = read(file, most: 1 + Int(seed) % 60, seed: seed)
    try require(whole.lines == cut.lines && whole.isWhole == cut.isWhole, "read differently in pieces")
    var tally = LogTally()
    for line in whole.lines { line.withUnsafeBytes { tally.add($0) } }
    let text = tally.report(top: 5).text(width: 100)
    try require(text.unicodeScalars.allSatisfy { $0 == "\n" || (" "..."~").contains($0) }, "steers a terminal: \(text)")
}

/// As far as it can be read, and no more than a few lines of what unpacks to very much.
private func read(_ file: UnsafeRawBufferPointer, most: Int, seed: UInt8) -> (lines: [[UInt8]], isWhole: Bool) {
    var reader = LogReader(), lines: [[UInt8]] = []
    let keep: (UnsafeRawBufferPointer) -> Void = { if lines.count < 1000 { lines.append(Array($0.prefix(4096))) } }
    do {
        try file.cut(upTo: most, seed: seed) { try reader.push($0, line: keep) }
        try reader.finish(line: keep)
        return (lines, true)
    } catch {
        return (lines, false)
    }
}
