import ArgumentParser

struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Check whether a running weir accepts requests; the exit status is the result.",
        discussion: """
            Requests /readyz, or with --live /livez, from the admin listener. The exit status is 0 if the response is 200, \
            else 1, with the reason on standard error. For containers, whose images then need neither a shell nor an HTTP \
            client.
            """)

    @Option(help: .init("The admin listener: address and port, a URL, or unix: and a path.", valueName: "address"))
    var admin = AdminAddress.usual

    @Flag(help: "Check only whether the process is alive, even while it drains.")
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
