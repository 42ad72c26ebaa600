/// Takes a request's body piece by piece; on the connection's loop.
package protocol RequestBodyDelegate: AnyObject {
    /// There are bytes to take, or the end, after ``RequestBody/take(into:)`` had none.
    func bodyArrived()

    /// The rest will not arrive as it should. The last call.
    func bodyFailed(_ failure: RequestBody.Failure)
}
