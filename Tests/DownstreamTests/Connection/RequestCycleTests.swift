import Testing

@testable import Downstream

@Suite struct RequestCycleTests {
    /// The cycle in each of its states.
    enum Moment: CaseIterable {
        case waiting, receiving, responding, continues, closes, cuts, lingering, closed

        func cycle(hasBody: Bool = false) -> RequestCycle {
            var cycle = RequestCycle()
            guard self != .waiting else { return cycle }
            _ = cycle.bytesArrived()
            guard self != .receiving else { return cycle }
            _ = cycle.headArrived(hasBody: hasBody, isPersistent: true)
            cycle.dispatched()
            switch self {
            case .waiting, .receiving, .responding: break
            case .continues: _ = cycle.responseEnded(.continues)
            case .closes: _ = cycle.responseEnded(.closes)
            case .cuts: _ = cycle.responseEnded(.cuts)
            case .lingering:
                _ = cycle.responseEnded(.closes)
                _ = cycle.responseTaken(.closes, hasBytes: true)
            case .closed: cycle.closed()
            }
            return cycle
        }
    }

    @Test func aRequestPassesThroughTheStates() {
        var cycle = RequestCycle()
        let isFirst = [cycle.bytesArrived(), cycle.bytesArrived()]
        #expect(isFirst == [true, false] && cycle.state == .receiving)
        let endsDeadline = cycle.headArrived(hasBody: false, isPersistent: true)
        #expect(endsDeadline)
        cycle.dispatched()
        #expect(cycle.state == .responding)
        let ended = [cycle.responseEnded(.continues), cycle.responseEnded(.closes)]
        #expect(ended == [true, false] && cycle.state == .ending(.continues))
        let next = cycle.responseTaken(.continues, hasBytes: false)
        #expect(next == .request(isPending: false) && cycle.state == .waiting)
    }

    @Test func aRequestThatArrivedMeanwhileFollows() {
        var cycle = Moment.continues.cycle()
        let next = cycle.responseTaken(.continues, hasBytes: true)
        #expect(next == .request(isPending: true) && cycle.state == .waiting)
    }

    /// The deadline is that of the response which the client has not taken.
    @Test func aHeadThatArrivesBeforeAResponseIsTakenEndsNoDeadline() {
        var cycle = Moment.continues.cycle()
        let endsDeadline = cycle.headArrived(hasBody: false, isPersistent: true)
        #expect(!endsDeadline && cycle.state == .ending(.continues))
    }

    @Test(arguments: Moment.allCases) func oneRequestIsReadAtATime(moment: Moment) {
        let cycle = moment.cycle()
        let isOver = moment == .lingering || moment == .closed
        let isFree = moment == .waiting || moment == .receiving
        #expect(cycle.keepsBytes == !isOver)
        #expect(cycle.mayRead(hasRequest: false, isNextRequest: true) == isFree)
        #expect(!cycle.mayRead(hasRequest: true, isNextRequest: true))
        #expect(cycle.mayRead(hasRequest: true, isNextRequest: false) == !isOver)
    }

    @Test(arguments: Moment.allCases) func aFaultIsAnsweredOnlyBetweenRequests(moment: Moment) {
        var cycle = moment.cycle()
        let before = cycle.state
        let fault = cycle.faultArrived()
        switch moment {
        case .waiting, .receiving: #expect(fault == .answered && cycle.state == .responding)
        case .responding, .continues, .closes, .cuts: #expect(fault == .inBody && cycle.state == before)
        case .lingering, .closed: #expect(fault == .ignored && cycle.state == before)
        }
    }

    /// RFC 9112, section 9.6: a close while the client sends would reset the connection, and with it the response.
    @Test func theConnectionLingersAfterAFault() {
        var cycle = RequestCycle()
        _ = cycle.faultArrived()
        _ = cycle.responseEnded(.closes)
        let next = cycle.responseTaken(.closes, hasBytes: false)
        #expect(next == .linger && cycle.state == .lingering)
    }

    @Test(arguments: [true, false], [true, false]) func aConnectionLingersForAClientThatMaySend(
        hasBody: Bool, hasBytes: Bool
    ) {
        var cycle = Moment.closes.cycle(hasBody: hasBody)
        let closing = cycle.responseTaken(.closes, hasBytes: hasBytes)
        #expect(closing == (hasBody || hasBytes ? .linger : .close))
        cycle = Moment.cuts.cycle(hasBody: hasBody)
        let cutting = cycle.responseTaken(.cuts, hasBytes: hasBytes)
        #expect(cutting == (hasBody ? .linger : .cut))
    }

    @Test func aBodyThatEndedNeedsNoLingering() {
        var cycle = Moment.closes.cycle(hasBody: true)
        cycle.bodyEnded()
        let next = cycle.responseTaken(.closes, hasBytes: false)
        #expect(next == .close && cycle.state == .closed)
    }

    @Test(arguments: Moment.allCases) func aDeadlineClosesWhatWaitsForTheClient(moment: Moment) {
        let cycle = moment.cycle()
        let expiry = cycle.deadlinePassed(hasRequest: false)
        switch moment {
        case .receiving: #expect(expiry == .rejectsHead)
        case .responding: #expect(expiry == .ignored)
        default: #expect(expiry == .closes)
        }
        #expect(cycle.deadlinePassed(hasRequest: true) == (moment == .responding ? .ignored : .closes))
    }
}
