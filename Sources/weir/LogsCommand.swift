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
        help: "Follow the files as they grow and are rotated, and write a report every second, until Ctrl-C or q.")
    var follows = false

    @Flag(name: .customLong("json"), help: "Write one JSON object instead of tables; with --follow one per line.")
    var isJSON = false

    @Flag(name: .customLong("html"), help: "Write one HTML page, which needs no other file, instead of tables.")
    var isHTML = false

    @OptionGroup var options: LogOptions

    func validate() throws {
        guard !isHTML || !isJSON && !follows else {
            throw ValidationError("--html excludes --json and --follow")
        }
    }

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

    /// Reports until a signal or a key arrives, or no file will have more lines.
    private func follow(_ paths: [String]) async throws -> Bool {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sigcont)
        let screen = FollowScreen(top: options.top, readsKeys: !isJSON && !paths.contains("-"))
        let keys = screen.openKeyboard()
        defer { screen.closeKeyboard() }
        return await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await followUntilCancelled(paths, screen) }
            group.addTask {
                for await signal in signals {
                    guard signal == .sigcont else { break }
                    screen.resume()
                }
                return nil
            }
            if let keys {
                group.addTask {
                    for await key in keys where key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") { break }
                    return nil
                }
            }
            // The first task to end cancels the others; the follower's result is the one that counts.
            var isWhole = true
            for await ended in group {
                isWhole = ended ?? isWhole
                group.cancelAll()
            }
            return isWhole
        }
    }

    private func followUntilCancelled(_ paths: [String], _ screen: FollowScreen) async -> Bool {
        var session = FollowSession(paths: paths, filter: options.filter(now: .now())), screen = screen
        var shown = ContinuousClock.now - .seconds(1)
        while !Task.isCancelled, !session.hasEnded {
            let mayHaveMore = session.catchUp(warn: Self.warn)
            let isDue = session.hasChanged && ContinuousClock.now - shown >= .seconds(1)
            if isDue || (!isJSON && !mayHaveMore && screen.isOutdated) {
                show(session.tally, on: &screen)
                session.hasChanged = false
                shown = .now
            }
            // Ends early if it is cancelled, as does the loop.
            if !mayHaveMore { try? await Task.sleep(for: .milliseconds(100)) }
        }
        // Lines that were written since the last read.
        _ = session.catchUp(warn: Self.warn)
        session.finish()
        show(session.tally, on: &screen, isLast: true)
        return session.isWhole
    }

    /// Writes the report of followed files: on a terminal in place of the previous one, elsewhere after it.
    private func show(_ tally: LogTally, on screen: inout FollowScreen, isLast: Bool = false) {
        guard !isJSON, let size = Terminal.output.size else {
            show(tally)
            if !isJSON { StandardOutput.write("\n") }
            return
        }
        screen.draw(tally, on: size, isLast: isLast)
    }

    private func show(_ tally: LogTally) {
        let report = tally.report(top: options.top)
        let text =
            if isJSON {
                String(decoding: report.json(), as: UTF8.self) + "\n"
            } else if isHTML {
                report.html()
            } else {
                report.text(width: Terminal.output.size?.columns ?? Self.plainWidth)
            }
        StandardOutput.write(text)
    }

    /// The width without a terminal, in characters: all columns of a table side by side.
    private static let plainWidth = 160

    private static func warn(_ path: String, _ error: LogFileError) {
        StandardError.write("weir logs: \(path): \(error)\n")
    }
}
