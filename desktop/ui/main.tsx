import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { AgentProvider } from './agent.tsx';
import './style/base.css';
import './style/shell.css';
import './style/library.css';
import './style/detail.css';
import './style/views.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <AgentProvider>
    <App />
  </AgentProvider>,
);
