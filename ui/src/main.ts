import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import './ask.css'
import './answer.css'
import './table.css'
import './print.css'

const target = document.getElementById('app')
if (target) mount(App, { target })
