"""The domain: face models, cameras, landmarks, fitting and the metrics on faces."""
