import ArgumentParser
import Flow
import Foundation
import LiveScreen
import Settings

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show how a running weir stands, in the terminal.",
        discussion: """
            Asks the admin listener for a snapshot again and again: streams, throughput, buffers and refusals by route, \
            breakers that are not closed, and the clients with the fullest queues.

            Keys: q quits, p pauses, < and > choose what the routes are sorted by, Tab shows one table alone.

            Where standard output is no terminal, one snapshot is written, as with --once. The exit status is 1 where \
            there is none. docs/ADMIN.md has more.
            """)

    @Option(
        help: .init(
            "The admin listener: address and port, a URL, or unix: and a path.", valueName: "address"))
    var admin = AdminAddress.usual

    @Option(
        help: .init(
            "A file whose first line is the admin_token; without it WEIR_ADMIN_TOKEN counts.", valueName: "file"))
    var tokenFile: String?

    @Option(help: .init("How long from one snapshot to the next.", valueName: "duration"))
    var interval = Interval(duration: .seconds(1))

    @Flag(help: "Write one snapshot as text, of what flows during one interval, and end.")
    var once = false

    @Flag(name: .customLong("json"), help: "Write each snapshot as a line of JSON instead.")
    var isJSON = false

    @Flag(help: "Use no colours; nor are any used where NO_COLOR is set.")
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

    /// Where nobody looks at a screen, in characters.
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

/// How often a snapshot is asked for; the listener gathers at most four a second.
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
