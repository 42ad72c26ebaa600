import ArgumentParser
import Flow
import Foundation
import LogReport
import Observability
import UnixSignals

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Summarise access logs by route and by client.",
        discussion: """
            Reads JSON access logs of weir, plain or gzip, in any order, and counts each request that has ended. The format \
            is detected from the content. Lines that are not log lines are counted separately.

            rec/s run is the pace of one stream while it was open, rec/s all that of all streams together over the period. \
            p50 and p99 are durations of the requests that were not refused, exact to 0.8 %. See docs/LOGS.md.

            The exit status is 1 if a file could not be read to its end; the others are included nevertheless.
            """)

    @Argument(help: .init("The files to read; standard input for - or without a file.", valueName: "file"))
    var files: [String] = []

    @Flag(
        name: [.customShort("f"), .customLong("follow")],
        help: "Follow the files as they grow and are rotated, and write a report every second, until Ctrl-C.")
    var follows = false

    @Flag(name: .customLong("json"), help: "Write one JSON object instead of tables; with --follow one per line.")
    var isJSON = false

    @OptionGroup var options: LogOptions

    func run() async throws {
        let paths = files.isEmpty ? ["-"] : files
        let isWhole = follows ? try await follow(paths) : sumUp(paths)
        guard isWhole else { throw ExitCode(1) }
    }

    /// Returns whether every file could be read to its end.
    private func sumUp(_ paths: [String]) -> Bool {
        var tally = LogTally(filter: options.filter(now: .now())), progress = ReadingProgress(paths)
        var room: [UInt8] = [], isWhole = true
        for path in paths {
            do throws(LogFileError) {
                var file = try LogFile(path: path)
                while try file.readSome(into: &room, line: { tally.add($0) }) { progress.show(beside: file.offset) }
                try file.finish { tally.add($0) }
                progress.passed(file.offset)
            } catch {
                progress.clear()
                Self.warn(path, error)
                isWhole = false
            }
        }
        progress.clear()
        show(tally)
        return isWhole
    }

    /// Reports until a signal arrives, or no file will have more lines.
    private func follow(_ paths: [String]) async throws -> Bool {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await followUntilCancelled(paths) }
            group.addTask {
                for await _ in signals { break }
                return nil
            }
            // The first task to end cancels the other; the follower's result is the one that counts.
            var isWhole = true
            for await ended in group {
                isWhole = ended ?? isWhole
                group.cancelAll()
            }
            return isWhole
        }
    }

    private func followUntilCancelled(_ paths: [String]) async -> Bool {
        var session = FollowSession(paths: paths, filter: options.filter(now: .now()))
        var shown = ContinuousClock.now - .seconds(1)
        while !Task.isCancelled, !session.hasEnded {
            let mayHaveMore = session.catchUp(warn: Self.warn)
            if session.hasChanged, ContinuousClock.now - shown >= .seconds(1) {
                show(session.tally, anew: true)
                session.hasChanged = false
                shown = .now
            }
            // Ends early if it is cancelled, as does the loop.
            if !mayHaveMore { try? await Task.sleep(for: .milliseconds(100)) }
        }
        // Lines that were written since the last read.
        _ = session.catchUp(warn: Self.warn)
        session.finish()
        show(session.tally, anew: true)
        return session.isWhole
    }

    /// Writes the report; with `anew` it replaces the previous one on a terminal, and is separated from it elsewhere.
    private func show(_ tally: LogTally, anew: Bool = false) {
        guard !isJSON else {
            return StandardOutput.write(String(decoding: tally.report(top: options.top).json(), as: UTF8.self) + "\n")
        }
        guard let size = Terminal.output.size else {
            return StandardOutput.write(
                tally.report(top: options.top).text(width: Self.plainWidth) + (anew ? "\n" : ""))
        }
        guard anew else { return StandardOutput.write(tally.report(top: options.top).text(width: size.columns)) }
        // As many names as the screen has room for, but a few in any case, and then as many tables.
        var top = options.top, report = tally.report(top: top)
        while top > Self.fewestNames,
            report.text(width: size.columns).utf8.count(where: { $0 == UInt8(ascii: "\n") }) >= size.rows
        {
            top = max(Self.fewestNames, min(top * 3 / 4, size.rows))
            report = tally.report(top: top)
        }
        let text = report.text(width: size.columns, rows: size.rows - 1)
        StandardOutput.write(Terminal.emptyScreen + text)
    }

    /// Of each table on a small screen.
    private static let fewestNames = 3
    /// The width without a terminal, in characters: all columns of a table side by side.
    private static let plainWidth = 160

    private static func warn(_ path: String, _ error: LogFileError) {
        StandardError.write("weir logs: \(path): \(error)\n")
    }
}
