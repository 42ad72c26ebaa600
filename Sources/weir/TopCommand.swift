import ArgumentParser
import Flow
import Foundation
import LiveScreen
import Settings

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show the live state of a running weir in the terminal.",
        discussion: """
            Requests snapshots from the admin listener: streams, throughput, buffers and refusals by route, breakers that \
            are not closed, and the clients with the fullest queues.

            Keys: ? lists all; q quits, p pauses, < and > select the sort order of the routes, Tab shows one table alone, the \
            arrows select a row, Enter shows the selected stream.

            If standard output is not a terminal, one snapshot is written, as with --once. The exit status is 1 if there \
            is no snapshot. See docs/ADMIN.md.
            """)

    @Option(
        help: .init(
            "The admin listener: address and port, a URL, or unix: and a path.", valueName: "address"))
    var admin = AdminAddress.usual

    @Option(
        help: .init(
            "A file whose first line is the admin_token; the default is WEIR_ADMIN_TOKEN.", valueName: "file"))
    var tokenFile: String?

    @Option(help: .init("The time between two snapshots, from 250ms to 60s.", valueName: "duration"))
    var interval = Interval(duration: .seconds(1))

    @Flag(help: "Write one snapshot as text, with the rates of one interval, and exit.")
    var once = false

    @Flag(name: .customLong("json"), help: "Write each snapshot as a line of JSON.")
    var isJSON = false

    @Flag(help: "Use no colours; the default if NO_COLOR is set.")
    var noColor = false

    func run() async throws {
        let source = SnapshotSource(
            address: admin, token: AdminToken(file: tokenFile), interval: interval.duration / .seconds(1))
        do throws(AdminError) {
            if isJSON {
                try source.follow(once: once)
            } else if once || !isScreen {
                try show(source.twice())
            } else {
                await TopSession(source: source, screen: emptyScreen, hasColour: hasColour).run()
            }
        } catch {
            StandardError.write("weir top: \(error.reason)\n")
            throw ExitCode(1)
        }
    }

    private func show(_ snapshots: [AdminSnapshot]) {
        var screen = emptyScreen
        for (number, snapshot) in snapshots.enumerated() { screen.take(snapshot, at: Double(number)) }
        let lines = screen.lines(columns: Terminal.output.size?.columns ?? Self.plainWidth, rows: nil)
        for line in lines { StandardOutput.write(line.text + "\n") }
    }

    /// The width without a terminal, in characters.
    private static let plainWidth = 120

    private var emptyScreen: Screen {
        Screen(address: admin.text, bars: knowsUnicode ? .blocks : .ascii)
    }

    private func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private var isScreen: Bool { Terminal.output.size != nil && environment("TERM") != "dumb" }
    private var hasColour: Bool { !noColor && environment("NO_COLOR") == nil }

    /// POSIX, 8.2: the first of these that is set and not empty.
    private var knowsUnicode: Bool {
        let locale = environment("LC_ALL") ?? environment("LC_CTYPE") ?? environment("LANG") ?? ""
        return locale.lowercased().replacingOccurrences(of: "-", with: "").hasSuffix("utf8")
    }
}

/// The interval of snapshots; the listener collects at most four a second.
struct Interval: ExpressibleByArgument {
    static let allowed = Duration.milliseconds(250)...Duration.seconds(60)

    let duration: Duration

    init(duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let duration = Duration(text: argument), Self.allowed.contains(duration) else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String { duration.text }
}
