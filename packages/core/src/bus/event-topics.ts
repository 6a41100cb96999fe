/** Topics that programs of this kind share. A topic needs no entry here: it is there when it is published to. */
export const EventTopics = Object.freeze({
  ISSUE_EVENTS: 'issue.events',
  EXECUTION_EVENTS: 'execution.events',
  PROJECT_EVENTS: 'project.events',
  WORKTREE_EVENTS: 'worktree.events',
  AGENT_EVENTS: 'agent.events',
  PR_EVENTS: 'pr.events',
  DEPLOYMENT_EVENTS: 'deployment.events',
  STATE_TRANSITION_EVENTS: 'state.transition.events',
});
