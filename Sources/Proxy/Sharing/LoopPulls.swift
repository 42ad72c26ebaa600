import Flow
import NIOCore
import Observability
import Settings

/// The pulls and feeds of one event loop.
final class LoopPulls {
    private unowned let host: any PullHost
    private let table: PullTable
    /// Of pulls on any loop that have readers on this one, and of all pulls of this loop.
    private var feeds: [SharingKey: PullFeed] = [:]
    /// The pulls of this loop.
    private var pulls: [ObjectIdentifier: Pull] = [:]
    /// Those with records to publish in this turn.
    private var arrived: [Pull] = []

    init(of table: PullTable, on host: any PullHost) { (self.table, self.host) = (table, host) }

    /// Joins a stream to the pull of its key, which is made if there is none in the process.
    ///
    /// - Returns: The stream's part of it, which begins with `start()`.
    /// - Throws: Why there is none.
    func join(
        _ request: StreamRequest, by key: SharingKey, at join: JoinRequest, as id: StreamId,
        delegate: any SharedTransferDelegate
    ) throws(JoinError) -> SharedReader {
        guard let sharing = request.route.sharing else { throw .refused(.refusedBefore) }
        let now = host.now()
        let entered = try table.enter(key, within: sharing, at: now) { id throws(AdmissionError) in
            let permit = try request.route.gate.admitPull(at: now)
            let pull = Pull(
                PullDescription(key, id, of: request, sharing), of: request.route, permit: permit, table: table,
                on: host, owner: self)
            return NIOLoopBound(pull, eventLoop: host.eventLoop)
        }
        let feed =
            entered.isNew
            ? begin(entered.pull.value)
            : feed(of: entered.pull, PullDescription(key, entered.id, of: request, sharing))
        return SharedReader(
            of: id, at: join, in: feed, canResume: !request.route.settings.overflow.drops, delegate: delegate)
    }

    /// The turn ends: what has arrived in it is published.
    func turnEnds() {
        guard !arrived.isEmpty else { return }
        let pulls = arrived
        arrived.removeAll(keepingCapacity: true)
        for pull in pulls { pull.publishArrived() }
    }

    /// Adds what the loop has to a scrape of the metrics.
    ///
    /// - Complexity: O(readers of the loop).
    func addRunning(to metrics: LoopMetrics) {
        for pull in pulls.values {
            let metrics = metrics.route(pull.route)
            metrics.tally.running.pulls += 1
            metrics.tally.running.transfers += 1
            metrics.tally.running.retainedBytes += pull.retainedBytes
        }
        for feed in feeds.values {
            let metrics = metrics.route(feed.description.routeName)
            metrics.tally.running.readers += feed.readerCount
            metrics.tally.running.lag = max(metrics.tally.running.lag, feed.lag)
        }
    }

    /// What the loop has, for an operator's overview.
    ///
    /// - Complexity: O(readers of the loop).
    func summaries(at now: Instant) -> PullSummaries {
        var summaries = PullSummaries()
        for pull in pulls.values { summaries.add(pull.summary(at: now), pull.description.id) }
        for feed in feeds.values {
            summaries.add(readers: feed.readerCount, lag: feed.lag, of: feed.description.id)
        }
        return summaries
    }

    /// The process stops.
    func stop() { for pull in Array(pulls.values) { pull.stop() } }

    private func begin(_ pull: Pull) -> PullFeed {
        pulls[ObjectIdentifier(pull)] = pull
        feeds[pull.description.key] = pull.feed
        pull.start()
        return pull.feed
    }

    /// The feed of a pull that is running, perhaps on another loop.
    private func feed(of pull: NIOLoopBound<Pull>, _ description: PullDescription) -> PullFeed {
        if let feed = feeds[description.key], feed.description.id === description.id { return feed }
        let feed = PullFeed(of: description, table: table, on: host, owner: self)
        feed.begin(with: pull)
        feeds[description.key] = feed
        let (id, bound) = (ObjectIdentifier(feed), NIOLoopBound(feed, eventLoop: host.eventLoop))
        pull.eventLoop.execute { pull.value.subscribe(bound, as: id) }
        return feed
    }
}

extension LoopPulls: PullOwner {
    func feedIsUnread(_ feed: PullFeed) {
        guard let pull = feed.remotePull else { return }
        feedEnded(feed)
        let id = ObjectIdentifier(feed)
        pull.eventLoop.execute { pull.value.unsubscribe(id) }
    }

    func feedEnded(_ feed: PullFeed) {
        if feeds[feed.description.key] === feed { feeds[feed.description.key] = nil }
    }

    func recordsArrived(at pull: Pull) { arrived.append(pull) }

    func pullEnded(_ pull: Pull) { pulls[ObjectIdentifier(pull)] = nil }
}
