import NIOCore

/// Replicas come to a queue, are let in, and leave it.
extension AdmissionQueue {
    /// A replica is about to start its workers; what they open takes no requests yet.
    /// - Parameter version: Of the API, that workers are told and answers are of.
    package func join(_ replica: String, version: Int) { self.state.join(replica, version: version) }

    /// The slots of a replica take requests from now on.
    /// - Parameter arguments: What its predictor names.
    package func admit(_ replica: String, arguments: PredictArguments) {
        self.state.admit(replica, arguments: arguments)
        self.dispatch(now: .now())
    }

    /// The slots of a worker take requests from now on, once its replica has been let in.
    package func workerBecameReady(_ worker: String) {
        self.state.workerBecameReady(worker)
        self.dispatch(now: .now())
    }

    func workerEnded(_ worker: String) { self.state.workerEnded(worker) }

    /// Another version may have the same workers.
    package func setVersion(_ version: Int, of replica: String) {
        self.state.setVersion(version, of: replica)
        for index in self.links.indices where self.links[index]?.replica == replica {
            self.links[index]?.origin.version = version
        }
    }

    /// Gives a replica nothing more, and returns when its slots have finished what they have.
    package func drain(_ replica: String) async {
        self.state.drain(replica)
        // What waited for its slots may have to wake the API.
        self.dispatch(now: .now())
        guard !self.state.isResting(replica) else { return }
        await withCheckedContinuation { self.restWaiters[replica, default: []].append($0) }
    }

    /// Gives up what a replica still runs; ``drain(_:)`` returns.
    /// - Returns: Whether it ran nothing any more.
    @discardableResult
    package func abandon(_ replica: String) -> Bool {
        let isResting = self.state.isResting(replica)
        let now = NIODeadline.now()
        for entry in self.state.abandon(replica) {
            let timing = self.timing(of: entry, predict: nil, by: nil, now: now)
            if case .streaming = entry.stage {
                entry.responder?.receive(.end(isWhole: false, timing))
            } else {
                entry.responder?.receive(.failed(.draining, timing))
            }
        }
        self.wake(self.restWaiters.removeValue(forKey: replica))
        return isResting
    }

    /// A replica has ended.
    package func leave(_ replica: String) {
        self.state.leave(replica)
        self.wake(self.restWaiters.removeValue(forKey: replica))
    }

    /// Hands a request to a worker of a replica that is not let in yet; false where none of its slots is free.
    package func submitSample(_ request: PredictRequest, to worker: String, _ responder: any PredictResponder) -> Bool {
        guard let slot = self.state.submitSample(request, to: worker, responder, now: .now()) else { return false }
        self.send(request, to: slot)
        self.wake(by: request.deadline)
        return true
    }

    /// Whether there are workers of other replicas.
    func hasOthers(than replica: String) -> Bool {
        self.state.members.contains { $0.key != replica && $0.value.stage == .admitted }
    }

    func wakeRestWaiters() {
        for replica in self.restWaiters.keys where self.state.isResting(replica) || self.state.members[replica] == nil {
            self.wake(self.restWaiters.removeValue(forKey: replica))
        }
    }

    private func wake(_ waiters: [CheckedContinuation<Void, Never>]?) {
        for waiter in waiters ?? [] { waiter.resume() }
    }
}
