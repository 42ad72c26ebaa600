/// The commands of a new connection, up to its first use; each is sent when the one before has its reply.
struct Handshake {
    /// A command, and the check of its reply.
    struct Step {
        let command: Command
        /// Returns the failure; `nil` if the reply is as expected.
        let check: (Reply, Connection) -> ConnectFailure?
    }

    private(set) var steps: [Step] = []

    mutating func authenticate(_ credentials: ClientSettings.Credentials?) {
        guard let credentials else { return }
        add(Command(["AUTH"] + (credentials.user.map { [$0] } ?? []) + [credentials.password]), status: "OK")
    }

    mutating func select(_ database: Int) {
        // A server of a cluster has only the database 0, and no SELECT.
        if database != 0 { add(Command("SELECT", String(database)), status: "OK") }
    }

    /// A Sentinel may name a server that is not yet, or no longer, the master (redis.io/docs/latest/develop/reference/sentinel-clients).
    mutating func requireMaster() {
        steps.append(
            Step(command: Command("ROLE")) { reply, _ in reply.items?.first?.text == "master" ? nil : .notMaster })
    }

    mutating func load(_ scripts: [Script]) {
        for script in scripts {
            steps.append(
                Step(command: Command("SCRIPT", "LOAD", script.text)) { reply, connection in
                    guard case .bytes = reply, let digest = reply.text else { return .unexpectedReply }
                    connection.digests[script] = digest
                    return nil
                })
        }
    }

    /// Proves that the server is ready: while it loads its data, it rejects the command.
    mutating func ping() { add(Command("PING"), status: "PONG") }

    mutating func subscribe(to channel: String) {
        steps.append(
            Step(command: Command("SUBSCRIBE", channel)) { reply, _ in
                reply.items?.first?.text == "subscribe" ? nil : .unexpectedReply
            })
    }

    /// This handshake, and then the other one.
    func followed(by next: Handshake) -> Handshake {
        var both = self
        both.steps += next.steps
        return both
    }

    private mutating func add(_ command: Command, status: String) {
        steps.append(
            Step(command: command) { reply, _ in reply == .status(status) ? nil : .unexpectedReply })
    }
}
