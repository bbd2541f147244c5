"""Puts together how releases are decided; it belongs to the wiring and builds no adapter."""

from functools import cached_property

from bot.foundation import Foundation
from bot.vendors import seal_of
from provisioning.breaking_glass import BreakingGlass
from provisioning.deployment_board import DeploymentBoard
from provisioning.dispatching import Dispatching
from provisioning.linking import Linking
from provisioning.release_cards import Cards
from provisioning.release_gates import AppRuleGate, ReviewerGate
from provisioning.releasing import Releasing


class Releases(Foundation):
    """Who is who at GitHub, and what they may let into a gated environment."""

    @cached_property
    def linking(self) -> Linking:
        """Return who is who at GitHub."""
        seal = seal_of(self.settings)
        return Linking(
            self.store, self.identities, seal, self.repositories, self.people, self.clock
        )

    @cached_property
    def releasing(self) -> Releasing:
        """Return where releases to gated environments are decided."""
        return Releasing(
            store=self.store,
            engine=self.engine,
            deployments=self.actions,
            dispatches=self.actions,
            reviewer_gate=ReviewerGate(self.store, self.actions, self.linking, self.actions),
            rule_gate=self.rule_gate,
            cards=Cards(self.store, self.actions, self.policy),
            linking=self.linking,
            board=self.deployment_board,
            policy=self.policy,
            clock=self.clock,
            redact=self.redact,
        )

    @cached_property
    def rule_gate(self) -> AppRuleGate:
        """Return the gate that is our App's own rule."""
        return AppRuleGate(
            self.store, self.actions, self.linking, self.people, self.policy, self.protection_rule
        )

    @cached_property
    def breaking_glass(self) -> BreakingGlass:
        """Return where a few let deployments in without approvals."""
        return BreakingGlass(self.releasing, self.rule_gate, self.people)

    @cached_property
    def deployment_board(self) -> DeploymentBoard:
        """Return where workflow runs and releases are shown."""
        return DeploymentBoard(self.store, self.linking, self.policy)

    @cached_property
    def dispatching(self) -> Dispatching:
        """Return what begins deployments for people."""
        return Dispatching(self.store, self.engine, self.actions, self.linking, self.clock)
