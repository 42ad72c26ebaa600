import Flow
import Upstream

/// What a transfer that several streams share reports in addition.
protocol SharedTransferDelegate: TransferDelegate {
    /// Records that the stream can take now; at least 1 while it has not paused the transfer.
    var recordRoom: Int { get }

    /// Whether the client has not taken what was written to it, so that `stall_timeout` runs for the stream itself.
    var isUnread: Bool { get }

    /// The upstream that sends the response; before its head.
    func transferIsShared(from upstream: String)

    /// Whole records arrived, at most as many as there was room for, or the only one.
    ///
    /// - Parameters:
    ///   - records: The records, and blank bytes.
    ///   - isLast: Whether no others follow at once.
    func transferRecords(_ records: SharedLog.Slice, isLast: Bool)

    /// The response must not be shared; nothing more is reported.
    func sharingRefused(_ cause: SharingRefusal)

    /// That many records are missing after the stream's record number `position`, counted from 1.
    func recordsLost(_ count: Int, after position: Int)

    /// The stream is too far behind; nothing more is reported.
    func readerLagged()

    /// What the client asks to continue from is not retained; nothing more is reported.
    func cannotJoin()
}

/// Why a stream does not join others.
enum JoinError: Error {
    /// It may send a request of its own.
    case refused(SharingRefusal)
    /// No request can be made.
    case notAdmitted(AdmissionError)
}
