import Flow
import TestSupport
import Testing

struct StreamStatusTests {
    private static let now = Instant.seconds(0)

    private func facts(
        isAdmitted: Bool = true, hasHead: Bool = true, hasClient: Bool = true, isPromised: Bool = false,
        isStoppedByClient: Bool = false
    ) -> StreamStatus.Facts {
        StreamStatus.Facts(
            isAdmitted: isAdmitted, hasHead: hasHead, hasClient: hasClient, isPromised: isPromised,
            isStoppedByClient: isStoppedByClient)
    }

    private func openMachine() -> StreamMachine {
        var machine = StreamMachine(limits: .init(), at: Self.now)
        machine.headArrived(at: Self.now)
        return machine
    }

    @Test("A stream that is over has ended, whatever else holds")
    func ended() {
        var machine = openMachine()
        _ = machine.end(.cancelled)
        #expect(StreamStatus(facts(isAdmitted: false, hasClient: false), of: machine) == .ended)
    }

    @Test("Before the head it waits for a slot, then for the upstream, then for a client that gets the failure")
    func beforeTheHead() {
        var machine = StreamMachine(limits: .init(), at: Self.now)
        #expect(StreamStatus(facts(isAdmitted: false, hasHead: false), of: machine) == .waiting)
        #expect(StreamStatus(facts(hasHead: false), of: machine) == .pending)
        machine.detached(until: .distantFuture)
        _ = machine.upstreamEnded(.upstreamFailed, at: Self.now)
        #expect(StreamStatus(facts(hasHead: false, hasClient: false, isPromised: true), of: machine) == .failed)
    }

    @Test("Without a client it is ready if it was promised, else resumable")
    func withoutClient() {
        let machine = openMachine()
        #expect(StreamStatus(facts(hasClient: false, isPromised: true), of: machine) == .ready)
        #expect(StreamStatus(facts(hasClient: false), of: machine) == .resumable)
    }

    @Test("With a client: held before slow, slow before paused")
    func withClient() {
        var machine = openMachine()
        #expect(StreamStatus(facts(), of: machine) == .flowing)
        _ = machine.chunkArrived(at: Self.now, level: .full)
        #expect(StreamStatus(facts(), of: machine) == .paused)
        _ = machine.clientStopped(level: .full, at: Self.now)
        #expect(StreamStatus(facts(), of: machine) == .slow)
        #expect(StreamStatus(facts(isStoppedByClient: true), of: machine) == .held)
    }

    @Test("A client and an operator read the texts that they have always read")
    func texts() {
        #expect(
            StreamStatus.allCases.map(\.clientText) == [
                "waiting", "pending", "failed", "ready", "resumable", "streaming", "streaming", "streaming",
                "streaming", "ended",
            ])
        #expect(
            StreamStatus.allCases.map(\.operatorText) == [
                "waiting", "pending", "pending", "detached", "detached", "held", "slow", "paused", "flowing", "waiting",
            ])
    }

    @Test("A pause is caused by the client that is gone, holds or does not take; else by the pace")
    func pauseCauses() {
        let causes = StreamStatus.allCases.map { $0.pauseCause(clientHasRoom: true) }
        #expect(
            causes == [
                .pace, .pace, .pace, .detached, .detached, .feedback, .client, .pace, .pace, .detached,
            ])
        #expect(StreamStatus.paused.pauseCause(clientHasRoom: false) == .client)
        #expect(StreamStatus.held.pauseCause(clientHasRoom: false) == .feedback)
        #expect(StreamStatus.resumable.pauseCause(clientHasRoom: false) == .detached)
    }
}
