import ArgumentParser

struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Tell whether a running weir takes requests, by the exit status.",
        discussion: """
            Asks the admin listener for /readyz, or with --live for /livez: 0 where it answers that it is well, else 1 and \
            the reason on standard error. For containers, whose images then need neither a shell nor an HTTP client.
            """)

    @Option(help: .init("The admin listener: address and port, a URL, or unix: and a path.", valueName: "address"))
    var admin = AdminAddress.usual

    @Flag(help: "Whether it is alive at all, be it draining.")
    var live = false

    func run() throws {
        do throws(AdminError) {
            _ = try AdminClient(address: admin).get(live ? "/livez" : "/readyz")
        } catch {
            StandardError.write("weir health: \(error.reason)\n")
            throw ExitCode(1)
        }
    }
}
