/// The event loop of transfers, as far as they need it.
protocol TransferHost: AnyObject {
    /// Transfers are to be started or released: now, or if that is inside a callback of libcurl, when it has returned.
    func settle()

    /// Transfers are to be resumed when the turn ends; outside of a turn, when the current event has been handled.
    func endTurnSoon()

    /// Transfers wait for the next turn, which is to begin when the loop has looked at its other sockets.
    func requestTurn()
}

/// What the transfers of one loop have requested of it, in lists.
///
/// Nothing of libcurl is called from inside one of its callbacks but `curl_easy_getinfo`; what a callback requests is done
/// after libcurl has returned. A resume waits longer, for the end of the turn: a delegate that resumes its transfer gets
/// no bytes before it has returned.
final class TransferLists {
    /// Outlives the transfers.
    unowned var host: (any TransferHost)?
    /// Counts the turns.
    private(set) var turn: UInt64 = 1
    private var starting = WorkList<Transfer>()
    private var releasing = WorkList<Transfer>()
    private var resuming = WorkList<Transfer>()
    private var waitingForTurn = WorkList<Transfer>()

    // MARK: Called by transfers

    func start(_ transfer: Transfer) {
        starting.append(transfer)
        host?.settle()
    }

    func release(_ transfer: Transfer) {
        releasing.append(transfer)
        host?.settle()
    }

    func resume(_ transfer: Transfer) {
        resuming.append(transfer)
        host?.endTurnSoon()
    }

    func continueNextTurn(_ transfer: Transfer) {
        waitingForTurn.append(transfer)
        host?.requestTurn()
    }

    // MARK: Called by the loop

    /// Begins the next turn.
    func countTurn() { turn &+= 1 }

    /// Starts a transfer once more, within the lists' next round.
    func startAgain(_ transfer: Transfer) { starting.append(transfer) }

    /// Whether any are to be started or released.
    var hasChanges: Bool { !starting.isEmpty || !releasing.isEmpty }

    /// How many are to be resumed; a resume may request further ones.
    var resumes: Int { resuming.count }

    func nextToStart() -> Transfer? { starting.next() }

    func nextToRelease() -> Transfer? { releasing.next() }

    func nextToResume() -> Transfer? { resuming.next() }

    func nextWaitingForTurn() -> Transfer? { waitingForTurn.next() }
}
