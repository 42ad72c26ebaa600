import Flow
import TestSupport
import Testing

/// Random walks of an admission beside a model that counts in plain integers and whole tokens.
@Suite struct AdmissionModelTests {
    /// Counts of open requests, and a bucket per client in tokens times nanoseconds, so that nothing is rounded.
    private struct Model {
        let perClient: Int, perRoute: Int, spacing: Int64, burst: Int64
        var streams: [Int: Int] = [:]
        var plain: [Int: Int] = [:]
        var level: [Int: Int64] = [:]
        var filledAt: [Int: Int64] = [:]

        mutating func level(of client: Int, at now: Int64) -> Int64 {
            let full = burst * spacing
            let filled = min(full, (level[client] ?? full) + now - (filledAt[client] ?? now))
            (level[client], filledAt[client]) = (filled, now)
            return filled
        }

        mutating func verdict(on client: Int, at now: Int64) -> AdmissionErrorKind? {
            let level = level(of: client, at: now)
            if streams[client, default: 0] >= perClient { return .client }
            if openStreams >= perRoute { return .route }
            return level < spacing ? .starts : nil
        }

        var openStreams: Int { streams.values.reduce(0, +) }
    }

    private enum AdmissionErrorKind: Equatable {
        case client, route, starts
        /// What no admission returns.
        case elsewhere

        init(_ error: AdmissionError) {
            switch error {
            case .tooManyStarts: self = .starts
            case .tooManyStreamsOfClient: self = .client
            case .tooManyStreamsOfRoute: self = .route
            case .upstreamBusy, .clientBreakerOpen, .upstreamBreakerOpen, .upstreamDown, .upstreamDrained,
                .recordBudgetSpent, .recordQuotaSpent, .proxyFull:
                self = .elsewhere
            }
        }
    }

    @Test(arguments: 0..<100) func agreesWithPlainCounting(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let rate = try #require(Rate(Int.random(in: 1...20, using: &random), per: .second))
        let burst = Int.random(in: 1...5, using: &random)
        let limits = (
            client: Int.random(in: 1...4, using: &random), route: Int.random(in: 2...10, using: &random)
        )
        var model = Model(
            perClient: limits.client, perRoute: limits.route, spacing: rate.spacing, burst: Int64(burst))
        var admission = Admission(
            limits: .init(
                perClient: limits.client, perRoute: limits.route, starts: rate, startsBurst: burst))
        var now: Int64 = 0
        for _ in 0..<400 {
            now += Int64.random(in: 0...100_000_000, using: &random)
            let client = Int.random(in: 0..<6, using: &random), key = ClientKey("\(client)")
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2: try tryToAdmit(client, at: now, &admission, &model)
            case 3 where model.streams[client, default: 0] > 0:
                admission.released(key)
                model.streams[client, default: 0] -= 1
            case 4 where model.streams[client, default: 0] > 0:
                admission.turnedOutPlain(key)
                model.streams[client, default: 0] -= 1
                model.plain[client, default: 0] += 1
                model.level[client] = model.level(of: client, at: now) + model.spacing
            case 5 where model.plain[client, default: 0] > 0:
                admission.released(key, isStream: false)
                model.plain[client, default: 0] -= 1
            default: break
            }
            #expect(admission.openStreams == model.openStreams)
        }
        for (client, count) in model.streams { for _ in 0..<count { admission.released(ClientKey("\(client)")) } }
        for (client, count) in model.plain {
            for _ in 0..<count { admission.released(ClientKey("\(client)"), isStream: false) }
        }
        #expect(admission.openStreams == 0)
        #expect(admission.openRequests == 0)
    }

    /// Is admitted or refused as in the model, and is admitted at its `Retry-After`.
    private func tryToAdmit(_ client: Int, at now: Int64, _ admission: inout Admission, _ model: inout Model) throws {
        let key = ClientKey("\(client)"), instant = Instant(nanoseconds: now)
        let expected = model.verdict(on: client, at: now)
        let remaining = try #require(admission.remainingStarts(of: key, at: instant)).remaining
        #expect(Int64(remaining) == model.level(of: client, at: now) / model.spacing)
        do throws(AdmissionError) {
            try admission.admit(key, at: instant)
            #expect(expected == nil)
            model.streams[client, default: 0] += 1
            model.level[client] = model.level(of: client, at: now) - model.spacing
        } catch {
            #expect(expected == AdmissionErrorKind(error))
            guard case .tooManyStarts = error else { return }
            var later = admission
            let seconds = Int64(error.retryAfter.retryAfterSeconds)
            #expect(throws: Never.self) {
                try later.admit(key, at: instant.advanced(byNanoseconds: seconds * 1_000_000_000))
            }
        }
    }
}
