import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(10))) struct ClientTests {
    private enum Event: Equatable, Sendable {
        case connected
        case disconnected(ConnectFailure)
        case subscribed, unsubscribed
        case message([UInt8])
    }

    /// A client on its loop, with the events that it reports.
    private final class Subject: ClientDelegate {
        let client: Client
        private let events: AsyncStream<Event>.Continuation

        init(_ settings: ClientSettings, on loop: any EventLoop, events: AsyncStream<Event>.Continuation) {
            self.events = events
            client = Client(settings, on: loop)
            client.delegate = self
            client.start()
        }

        func clientConnected() { events.yield(.connected) }
        func clientDisconnected(_ reason: ConnectFailure) { events.yield(.disconnected(reason)) }
        func clientSubscribed() { events.yield(.subscribed) }
        func clientUnsubscribed() { events.yield(.unsubscribed) }
        func messageArrived(_ message: [UInt8]) { events.yield(.message(message)) }
    }

    private let loop = MultiThreadedEventLoopGroup.singleton.next()
    private let seen = NIOLockedValueBox<[[String]]>([])

    private func settings(_ servers: ClientSettings.Servers) -> ClientSettings {
        var settings = ClientSettings(servers: servers)
        settings.retry = .milliseconds(1) ... .milliseconds(2)
        return settings
    }

    /// Records commands, and answers those of a handshake.
    private func answers(_ other: @escaping FakeServer.Answer = { _ in nil }) -> FakeServer.Answer {
        let seen = seen
        return { command in
            seen.withLockedValue { $0.append(command) }
            if let answer = other(command) { return answer }
            return switch command.first {
            case "PING": "+PONG\r\n"
            case "AUTH", "SELECT": "+OK\r\n"
            case "ROLE": "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
            case "SCRIPT": "$40\r\n\(String(repeating: "a", count: 40))\r\n"
            case "SUBSCRIBE": "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
            default: "-ERR unknown command\r\n"
            }
        }
    }

    private func with(
        _ settings: ClientSettings,
        _ body: (NIOLoopBound<Subject>, inout AsyncStream<Event>.Iterator) async throws -> Void
    ) async throws {
        let (stream, continuation) = AsyncStream<Event>.makeStream()
        let loop = loop
        let subject = try await loop.submit {
            NIOLoopBound(Subject(settings, on: loop, events: continuation), eventLoop: loop)
        }.get()
        var events = stream.makeAsyncIterator()
        let result: Result<Void, any Error>
        do { result = .success(try await body(subject, &events)) } catch { result = .failure(error) }
        try await loop.submit { subject.value.client.stop() }.get()
        try result.get()
    }

    private func reply(
        of subject: NIOLoopBound<Subject>,
        _ send:
            @escaping @Sendable (
                Client, @escaping (Result<Reply, CommandFailure>) -> Void
            ) -> Void
    ) async throws -> Reply {
        let loop = loop
        return try await loop.flatSubmit {
            let promise = loop.makePromise(of: Reply.self)
            send(subject.value.client) { promise.completeWith($0.mapError { $0 }) }
            return promise.futureResult
        }.get()
    }

    @Test func authenticatesSelectsAndLoadsBeforeItIsConnected() async throws {
        let server = try await FakeServer.start(answers { $0.first == "GET" ? ":7\r\n" : nil })
        var settings = settings(.server(server.address))
        settings.credentials = .init(user: "weir", password: "secret")
        settings.database = 3
        settings.scripts = [Script("return 1")]
        try await with(settings) { subject, events in
            #expect(await events.next() == .connected)
            #expect(
                seen.withLockedValue { $0 } == [
                    ["AUTH", "weir", "secret"], ["SELECT", "3"], ["SCRIPT", "LOAD", "return 1"], ["PING"],
                ])
            let reply = try await reply(of: subject) { $0.send(Command("GET", "a"), within: .seconds(60), $1) }
            #expect(reply == .integer(7))
        }
        try await server.stop()
    }

    @Test func aScriptThatTheServerHasLostIsSentOnce() async throws {
        let server = try await FakeServer.start(
            answers { command in
                switch command.first {
                case "EVALSHA": "-NOSCRIPT No matching script\r\n"
                case "EVAL": ":1\r\n"
                default: nil
                }
            })
        var settings = settings(.server(server.address))
        settings.scripts = [Script("return 1")]
        try await with(settings) { subject, events in
            #expect(await events.next() == .connected)
            let reply = try await reply(of: subject) {
                let call = ScriptCall(Script("return 1"), keys: 1, arguments: 2) { writer in
                    for word in ["k", "x", "y"] { writer.write(word) }
                }
                $0.run(call, within: .seconds(60), $1)
            }
            #expect(reply == .integer(1))
            #expect(
                seen.withLockedValue { $0.suffix(2) } == [
                    ["EVALSHA", String(repeating: "a", count: 40), "1", "k", "x", "y"],
                    ["EVAL", "return 1", "1", "k", "x", "y"],
                ])
        }
        try await server.stop()
    }

    @Test func reconnectsWhenTheServerClosesOrIsReadOnly() async throws {
        let server = try await FakeServer.start(
            answers { command in
                switch command.first {
                case "QUIT": ""
                case "SET": "-READONLY a replica\r\n"
                default: nil
                }
            })
        try await with(settings(.server(server.address))) { subject, events in
            #expect(await events.next() == .connected)
            await #expect(throws: CommandFailure.notConnected) {
                try await reply(of: subject) { $0.send(Command("QUIT"), within: .seconds(60), $1) }
            }
            #expect(await events.next() == .disconnected(.closed))
            #expect(await events.next() == .connected)
            let error = ServerError("READONLY a replica")
            await #expect(throws: CommandFailure.refused(error)) {
                try await reply(of: subject) { $0.send(Command("SET"), within: .seconds(60), $1) }
            }
            #expect(await events.next() == .disconnected(.refused(error)))
            #expect(await events.next() == .connected)
        }
        try await server.stop()
    }

    @Test(arguments: [
        "-LOADING Redis is loading\r\n", "-NOAUTH Authentication required\r\n", "+OK\r\n", "what\r\n", "",
    ]) func aHandshakeThatFailsIsReported(_ answer: String) async throws {
        let server = try await FakeServer.start(answers { $0.first == "PING" ? answer : nil })
        let expected: ConnectFailure =
            switch answer.first {
            case "-": .refused(ServerError(String(answer.dropFirst().dropLast())))
            case "+": .unexpectedReply
            case "w": .malformedReply(.type(UInt8(ascii: "w")))
            default: .closed
            }
        try await with(settings(.server(server.address))) { subject, events in
            for _ in 0..<2 { #expect(await events.next() == .disconnected(expected)) }
            await #expect(throws: CommandFailure.notConnected) {
                try await reply(of: subject) { $0.send(Command("GET"), within: .seconds(60), $1) }
            }
        }
        try await server.stop()
    }

    @Test func aServerThatDoesNotAnswerIsGivenUp() async throws {
        let server = try await FakeServer.start { _ in nil }
        var settings = settings(.server(server.address))
        settings.connectTimeout = .milliseconds(20)
        try await with(settings) { _, events in
            for _ in 0..<2 { #expect(await events.next() == .disconnected(.timedOut)) }
        }
        try await server.stop()
    }

    @Test func receivesMessages() async throws {
        let server = try await FakeServer.start(
            answers {
                guard $0.first == "SUBSCRIBE" else { return nil }
                return "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"
            })
        var settings = settings(.server(server.address))
        settings.channel = "c"
        try await with(settings) { _, events in
            var seen: [Event?] = []
            for _ in 0..<3 { seen.append(await events.next()) }
            #expect(seen.contains(.connected))
            #expect(seen.filter { $0 != .connected } == [.subscribed, .message(Array("hi".utf8))])
        }
        try await server.stop()
    }

    @Test func aSubscriptionThatIsRefusedIsReportedAndTriedAgain() async throws {
        let server = try await FakeServer.start(
            answers { $0.first == "SUBSCRIBE" ? "-NOPERM no permission for the channel\r\n" : nil })
        var settings = settings(.server(server.address))
        settings.channel = "c"
        try await with(settings) { subject, events in
            var seen: [Event?] = []
            for _ in 0..<3 { seen.append(await events.next()) }
            #expect(seen.filter { $0 == .unsubscribed }.count == 2 && seen.contains(.connected))
            let reply = try await reply(of: subject) { $0.send(Command("PING"), within: .seconds(60), $1) }
            #expect(reply == .status("PONG"))
        }
        try await server.stop()
    }

    @Test func asksTheSentinelsForTheMaster() async throws {
        let role = NIOLockedValueBox("slave")
        let server = try await FakeServer.start(
            answers { command in
                guard command.first == "ROLE" else { return nil }
                let role = role.withLockedValue { role in
                    defer { role = "master" }
                    return role
                }
                return "*1\r\n$\(role.utf8.count)\r\n\(role)\r\n"
            })
        let port = "\(server.port)"
        let ignorant = try await FakeServer.start(answers { $0.first == "SENTINEL" ? "*-1\r\n" : nil })
        let sentinel = try await FakeServer.start(
            answers { command in
                guard command == ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"] else { return nil }
                return "*2\r\n$9\r\n127.0.0.1\r\n$\(port.utf8.count)\r\n\(port)\r\n"
            })
        let gone = try await FakeServer.start { _ in nil }
        try await gone.stop()
        let addresses = [gone.address, ignorant.address, sentinel.address]
        try await with(settings(.sentinels(addresses, master: "main"))) { _, events in
            #expect(await events.next() == .disconnected(.notMaster))
            #expect(await events.next() == .connected)
        }
        try await with(settings(.sentinels([ignorant.address], master: "main"))) { _, events in
            #expect(await events.next() == .disconnected(.unknownMaster("main")))
        }
        for server in [server, ignorant, sentinel] { try await server.stop() }
    }
}
